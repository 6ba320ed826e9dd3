package store

import (
	"fmt"
	"strings"
	"testing"

	"mailmoor/state"
)

// arrived opens the account, lets a login prove it if that is true, and closes it.
func (r *root) arrived(t *testing.T, d *Directory, account Account, same bool) {
	t.Helper()
	r.session(t, d, account, func(s *Store) { must(t, s.Arrive(t.Context(), same)) })
}

// moved opens the account and reports whether it is to be found elsewhere.
func (r *root) moved(t *testing.T, d *Directory, account Account) (moved bool) {
	t.Helper()
	news := r.session(t, d, account, func(s *Store) {
		moved = s.Moved()
		wantDoubt(t, s, state.Believed)
	})
	if len(news) > 0 {
		t.Errorf("news: %+v", news)
	}
	return moved
}

// TestMistypedHost: a run with a wrong host that nobody answers under says nothing about
// whose mail the records are about. Before, the next run with the right one compared
// everything afresh, as after a change of the server.
func TestMistypedHost(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	r.arrived(t, d, testAccount(), true)
	wrong := testAccount()
	wrong.Host = "imap.exmaple.org"
	if !r.moved(t, d, wrong) {
		t.Error("under another name it must be proven that it is the same account")
	}
	if r.moved(t, d, testAccount()) {
		t.Error("a run without a login has changed the account's identity")
	}
}

// TestMistypedFirst: the very first run has a wrong host.
func TestMistypedFirst(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	wrong := testAccount()
	wrong.Host, wrong.User = "imap.exmaple.org", "you"
	r.session(t, d, wrong, believed(t))
	if r.moved(t, d, testAccount()) {
		t.Error("a run without a login has given the account an identity")
	}
}

// otherPlaces are places in which an account can be found that was me on port 993 of
// imap.example.org.
var otherPlaces = []struct {
	change func(a *Account)
	user   bool // the same one
	at     string
}{
	{func(a *Account) { a.Host = "other.example.org" }, true, "other.example.org"},
	{func(a *Account) { a.Port = 10993 }, true, "imap.example.org, port 10993"},
	{func(a *Account) { a.User = "you" }, false, "imap.example.org"},
}

// lived returns the account, which a login has proven to be on its port.
func (r *root) lived(t *testing.T, d *Directory) Account {
	t.Helper()
	r.quiet(t, d, func(s *Store) {
		believed(t)(s)
		sampled := mailbox("INBOX")
		sampled.Sampled = testNow().Unix()
		must(t, s.PutMailbox(t.Context(), sampled))
	})
	was := testAccount()
	was.Port = 993
	r.arrived(t, d, was, true)
	same := was
	same.Host, same.Name = "IMAP.example.ORG", "renamed"
	if r.moved(t, d, same) {
		t.Error("another way to write the host is another server")
	}
	return was
}

// TestAnotherServer: with another host, port or user the account is another one. Its
// records count no more before they are compared, and the user is told once.
func TestAnotherServer(t *testing.T) {
	for _, place := range otherPlaces {
		d, r := newDirectory(t), &root{generation: 1}
		other := r.lived(t, d)
		place.change(&other)
		guest, err := d.Open(t.Context(), other, Options{Guest: true})
		must(t, err)
		if !guest.Moved() || guest.SameUser() != place.user {
			t.Errorf("%+v: moved is %v, the user is the same: %v", other, guest.Moved(), guest.SameUser())
		}
		must(t, guest.Arrive(t.Context(), false))
		if boxes, err := guest.Mailboxes(t.Context()); err != nil || boxes[0].Doubt != state.DoubtUIDs {
			t.Errorf("a guest sees %+v, %v", boxes, err)
		}
		must(t, guest.Close())

		r.session(t, d, other, func(s *Store) {
			must(t, s.PutTrash(t.Context(), "Bin"))
			must(t, s.Arrive(t.Context(), false))
			wantDoubt(t, s, state.DoubtUIDs)
			if trash, err := s.Trash(t.Context()); err != nil || trash != "" {
				t.Errorf("Trash of another server is %q, %v", trash, err)
			}
		})
		news := r.session(t, d, other, func(s *Store) {
			if s.Moved() {
				t.Error("it is proven and has moved again")
			}
		})
		want := fmt.Sprintf("that of %s at %s, in the last run it was that of me at imap.example.org", other.User, place.at)
		if len(news) != 1 || !strings.Contains(string(news[0].Text), want) {
			t.Errorf("news: %+v, want %q", news, want)
		}
		if news := r.session(t, d, other, nothing); len(news) > 0 {
			t.Errorf("told again: %v", news)
		}
	}
}

// TestSameServerElsewhere: what was proven to be the same account stays believed, with
// its holds, and each mailbox is looked at once more.
func TestSameServerElsewhere(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	other := r.lived(t, d)
	other.Host = "localhost"
	check := func(s *Store) {
		t.Helper()
		boxes, err := s.Mailboxes(t.Context())
		must(t, err)
		holds, err := s.Holds(t.Context())
		must(t, err)
		if len(boxes) != 1 || boxes[0].Doubt != state.Believed || boxes[0].Sampled != 0 || len(holds) != 1 {
			t.Errorf("mailboxes %+v and holds %+v; want one that is believed and was never listed, and one", boxes, holds)
		}
	}
	guest, err := d.Open(t.Context(), other, Options{Guest: true})
	must(t, err)
	must(t, guest.Arrive(t.Context(), true))
	check(guest)
	must(t, guest.Close())
	r.arrived(t, d, other, true)
	r.session(t, d, other, check)
	if r.moved(t, d, other) {
		t.Error("it is proven and has moved again")
	}
}
