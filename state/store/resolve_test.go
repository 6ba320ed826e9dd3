package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

const (
	idA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	idB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	idC = "cccccccccccccccccccccccccccccccc"
)

// at is a store whose root is not that of the account in question.
func at(id, name, root string) candidate {
	return candidate{Account: Account{ID: id, Name: name, Root: root, Host: "imap.example.org", User: name + "@example.org"}}
}

// here is a store whose root is the account's, /mail/a.
func here(id, name string) candidate {
	c := at(id, name, "/mail/a")
	c.rootHere = true
	return c
}

// inUse lets the root of the store still carry a marker.
func inUse(c candidate) candidate {
	c.marked = true
	return c
}

func TestResolveDecision(t *testing.T) {
	account := at("", "a", "/mail/a").Account
	renamed := account
	renamed.Name = "new name"
	moved := account
	moved.Host, moved.User = "mail.example.com", "other"
	changed := moved
	changed.Name = "changed"
	marked := RootFacts{Exists: true, MarkerID: idA, HasMail: true}
	tests := []struct {
		name    string
		want    Account
		root    RootFacts
		stores  []candidate
		id      string
		verdict Verdict
		refused string // in the reason
	}{
		{"nothing is known", account, RootFacts{}, nil, "", New, ""},
		{"a tree that was never ours", account, RootFacts{Exists: true, HasMail: true}, nil, "", New, ""},
		{"only others are known", account, RootFacts{}, []candidate{at(idB, "b", "/mail/b")}, "", New, ""},
		{"the account starts anew elsewhere", account, RootFacts{Exists: true}, []candidate{at(idA, "a", "/old")}, "", New, ""},

		{"as always", account, marked, []candidate{at(idB, "b", "/mail/b"), inUse(here(idA, "a"))}, idA, Known, ""},
		{"renamed", renamed, marked, []candidate{inUse(here(idA, "a"))}, idA, Known, ""},
		{"another server", moved, marked, []candidate{inUse(here(idA, "a"))}, idA, Known, ""},
		{"the tree moved", account, marked, []candidate{at(idA, "a", "/old")}, idA, Known, ""},
		{"renamed, and the tree moved", renamed, marked, []candidate{at(idA, "a", "/old")}, idA, Known, ""},
		{"account.json is lost", account, marked, []candidate{{Account: Account{ID: idA}}}, idA, Known, ""},
		{
			"the tree of a replaced one moved here", account, marked,
			[]candidate{at(idA, "a", "/old"), here(idB, "a")},
			idA, Known, "",
		},

		{"the store is lost", account, marked, nil, idA, StateLost, ""},
		{"the store is lost, others are known", account, marked, []candidate{at(idB, "b", "/mail/b")}, idA, StateLost, ""},

		{"not mounted, no directory", account, RootFacts{}, []candidate{here(idA, "a")}, "", Suspended, "does not exist"},
		{"not mounted, empty directory", account, RootFacts{Exists: true}, []candidate{here(idA, "a")}, "", Suspended, "is empty"},
		{
			"the marker was deleted", account,
			RootFacts{Exists: true, HasMail: true},
			[]candidate{here(idA, "a")},
			"", Suspended, "is gone",
		},
		{"not mounted, and renamed", changed, RootFacts{}, []candidate{here(idA, "a")}, "", Suspended, "lost its marker"},

		{
			"a copied tree", account, marked,
			[]candidate{inUse(at(idA, "a", "/mail/original"))},
			"", Suspended, "looks like a copy",
		},
		{
			"a copied tree under another name", renamed, marked,
			[]candidate{inUse(at(idA, "a", "/mail/original"))},
			"", Suspended, "looks like a copy",
		},
		{"the tree of another account", changed, marked, []candidate{here(idA, "a")}, "", Suspended, `belongs to account "a"`},
		{
			"the disk of another account", account,
			RootFacts{Exists: true, MarkerID: idB},
			[]candidate{here(idA, "a"), at(idB, "b", "/mnt")},
			"", Suspended, `belongs to account "b"`,
		},
		{
			"the other disk of the same user", renamed,
			RootFacts{Exists: true, MarkerID: idB},
			[]candidate{withName(here(idA, "a"), "new name"), withUser(at(idB, "b", "/mnt"), "a@example.org")},
			"", Suspended, `belongs to account "b"`,
		},
		{
			"an unknown disk where ours was", account,
			RootFacts{Exists: true, MarkerID: idC},
			[]candidate{here(idA, "a")},
			"", Suspended, "marker of another tree",
		},
		{"a marker that is no id", account, RootFacts{Exists: true, MarkerID: "../../x"}, nil, "", Suspended, "is not ours"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id, verdict, refused := resolve(test.want, test.root, test.stores)
			if id != test.id || verdict != test.verdict {
				t.Errorf("resolved to %q, %v; want %q, %v", id, verdict, test.id, test.verdict)
			}
			switch {
			case (refused != nil) != (test.verdict == Suspended):
				t.Errorf("verdict %v with refusal %v", verdict, refused)
			case refused != nil && !strings.Contains(refused.reason.Error(), test.refused):
				t.Errorf("reason %q does not say %q", refused.reason, test.refused)
			case refused != nil && refused.hint == "":
				t.Error("no hint")
			}
		})
	}
}

func withName(c candidate, name string) candidate { c.Name = name; return c }

func withUser(c candidate, user string) candidate { c.User = user; return c }

// TestResolve leads one account through its life on a real directory.
func TestResolve(t *testing.T) {
	d := newDirectory(t)
	base := t.TempDir()
	tree := func(name string) string { return filepath.Join(base, name) }
	mark := func(name, id string) {
		t.Helper()
		must(t, os.MkdirAll(tree(name), 0o700))
		must(t, os.WriteFile(filepath.Join(tree(name), markerName), []byte(id), 0o600))
	}
	want := Account{Name: "a", Root: tree("a"), Host: "h", User: "u"}
	account, verdict, err := d.Resolve(want, RootFacts{})
	if verdict != New || err != nil || checkID(account.ID) != nil {
		t.Fatalf("first run: %+v, %v, %v", account, verdict, err)
	}
	if other, _, _ := d.Resolve(want, RootFacts{}); other.ID == account.ID {
		t.Error("two new accounts have the same id")
	}
	mark("a", account.ID)
	use := func(a Account) {
		t.Helper()
		s, err := d.Open(t.Context(), a, Options{})
		must(t, err)
		must(t, s.Arrive(t.Context(), true))
		must(t, s.Close())
	}
	use(account)
	expect := func(name string, want Account, facts RootFacts, verdict Verdict) Account {
		t.Helper()
		got, gotVerdict, err := d.Resolve(want, facts)
		if gotVerdict != verdict || (err != nil) != (verdict == Suspended) {
			t.Errorf("%s: %v, %v; want %v", name, gotVerdict, err, verdict)
		}
		if e, ok := errors.AsType[*state.Error](err); err != nil && (!ok || e.Cause != state.CauseConfig || e.Scope != state.ScopeAccount || e.Hint == "") {
			t.Errorf("%s: error %#v", name, err)
		}
		return got
	}
	facts := RootFacts{Exists: true, MarkerID: account.ID, HasMail: true}
	expect("second run", want, facts, Known)
	expect("not mounted", want, RootFacts{}, Suspended)

	must(t, os.Symlink(tree("a"), tree("link")))
	linked := want
	linked.Root = tree("link")
	expect("by way of a link", linked, facts, Known)
	expect("by way of a link, marker gone", linked, RootFacts{Exists: true}, Suspended)

	copied := want
	copied.Root = tree("copy")
	mark("copy", account.ID)
	expect("a copy", copied, facts, Suspended)
	must(t, os.RemoveAll(tree("a")))
	got := expect("a copy that took its place", copied, facts, Known)
	use(got)
	list, err := d.Accounts()
	must(t, err)
	if diff := cmp.Diff([]Account{got}, list); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}

	must(t, os.Remove(filepath.Join(d.path, account.ID, databaseName)))
	expect("the database was deleted", copied, facts, StateLost)
}

// TestAccountsRefuses damages account.json: an account that is overlooked would
// be new again.
func TestAccountsRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "not JSON": "{", "another id": `{"id":"` + idB + `","name":"a"}`,
	} {
		d := newDirectory(t)
		must(t, open(t, d, Options{}).Close())
		file := filepath.Join(d.path, testID, accountName)
		must(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := d.Accounts(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
		if _, verdict, err := d.Resolve(testAccount(), RootFacts{}); verdict != Suspended || err == nil {
			t.Errorf("%s: %v, %v", name, verdict, err)
		}
		must(t, os.Remove(file))
		got, err := d.Accounts()
		if diff := cmp.Diff([]Account{{ID: testID}}, got); diff != "" || err != nil {
			t.Errorf("without the file: %v (-want +got):\n%s", err, diff)
		}
	}
}
