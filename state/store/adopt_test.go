package store

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestAdopt(t *testing.T) {
	d, base := newDirectory(t), t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	for id, a := range map[string]Account{idA: {Name: "a", Root: at("a")}, idB: {Name: "b", Root: at("b")}} {
		a.ID = id
		s, err := d.Open(t.Context(), a, Options{})
		must(t, err)
		must(t, s.Close())
	}
	tests := []struct {
		name   string
		want   Account
		marker string
		others []string
		id     string // "" for a fresh one, "refused" for none
	}{
		{"its own root, emptied", Account{Name: "a", Root: at("a")}, "", []string{"b"}, idA},
		{"moved", Account{Name: "a", Root: at("new")}, "", []string{"b"}, idA},
		{"renamed", Account{Name: "c", Root: at("a")}, "", []string{"b"}, idA},
		{"the marker of nobody", Account{Name: "a", Root: at("a")}, idC, []string{"b"}, idA},
		{"the tree of another account", Account{Name: "a", Root: at("a")}, idB, []string{"b"}, "refused"},
		{"the tree of an account that is not configured any more", Account{Name: "a", Root: at("b")}, idB, nil, idB},
		{"the place of another account", Account{Name: "c", Root: at("b")}, "", []string{"a", "b"}, ""},
		{"an account that has not run", Account{Name: "c", Root: at("c")}, "", []string{"a", "b"}, ""},
	}
	for _, test := range tests {
		got, err := d.Adopt(test.want, test.marker, test.others)
		switch {
		case test.id == "refused":
			if state.CauseOf(err) != state.CauseConfig {
				t.Errorf("%s: %+v, %v", test.name, got, err)
			}
		case err != nil, test.id != "" && got.ID != test.id, test.id == "" && (got.ID == idA || got.ID == idB || checkID(got.ID) != nil):
			t.Errorf("%s: %+v, %v; want id %q", test.name, got, err, test.id)
		}
	}
}

// TestForget keeps what is no base.
func TestForget(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, func(s *Store) {
		write(t, s, accountV2())
		must(t, s.PutLastRun(t.Context(), Run{Started: 5, Exit: 4}))
	})
	s := open(t, d, Options{Now: testNow})
	copied, err := s.Copy(t.Context())
	must(t, err)
	if copies, err := dailyCopies(s.path, testNow()); err != nil || slices.ContainsFunc(copies, func(c dailyCopy) bool { return c.path == copied }) {
		t.Errorf("%s is one of the daily copies, which go after some days (%v)", copied, err)
	}
	mailboxes, messages, err := s.Forget(t.Context())
	if mailboxes != 3 || messages != 2 || err != nil {
		t.Errorf("%d mailboxes and %d messages are forgotten, %v", mailboxes, messages, err)
	}
	checkAccount(t, s, account{held: accountV2().held})
	if run, found, err := s.LastRun(t.Context()); !found || run.Exit != 4 || err != nil {
		t.Errorf("the last run is %+v, %v", run, err)
	}
	must(t, s.Close())
	must(t, verifyFile(t.Context(), copied, schema()))
	r.generation = 1 // the marker is new
	r.quiet(t, d, believed(t))
	r.arrived(t, d, testAccount(), true)
	r.quiet(t, d, nothing)
	if got, err := d.Accounts(); err != nil || cmp.Diff([]Account{testAccount()}, got) != "" {
		t.Errorf("accounts %+v, %v", got, err)
	}
}
