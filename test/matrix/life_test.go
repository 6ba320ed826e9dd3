package matrix_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

// eachServer runs a test on every server of the table.
func eachServer(t *testing.T, test func(t *testing.T, row matrix.Server, srv lab.IMAP)) {
	t.Helper()
	for _, row := range matrix.Servers() {
		t.Run(row.Name, func(t *testing.T) { test(t, row, row.Start(t)) })
	}
}

// eachMask runs a test for what is hidden of Dovecot.
func eachMask(t *testing.T, masks []matrix.Mask, test func(t *testing.T, mask matrix.Mask, srv lab.IMAP)) {
	t.Helper()
	srv := dovecot(t)
	for _, mask := range masks {
		t.Run(mask.String(), func(t *testing.T) {
			t.Parallel()
			test(t, mask, srv.Bind(t))
		})
	}
}

// dovecot starts the server of the first row.
func dovecot(t *testing.T) lab.IMAP { return matrix.Servers()[0].Start(t) }

// TestLife: the everyday life of an account ends the same on every server, and
// a run with nothing to do asks none of them to change anything.
func TestLife(t *testing.T) {
	eachServer(t, func(t *testing.T, row matrix.Server, srv lab.IMAP) {
		newAccount(t, srv).life()
		record(t, row.Name, "", true, 0)
	})
}

// TestMasks: so it does whatever Dovecot lacks.
func TestMasks(t *testing.T) {
	eachMask(t, matrix.Masks(), func(t *testing.T, mask matrix.Mask, srv lab.IMAP) {
		newAccount(t, srv, mask...).life()
		record(t, "Dovecot", mask.String(), true, 0)
	})
}

// life plays it.
func (a *account) life() {
	a.Helper()
	a.deliver("INBOX", "a", "b", "c")
	a.flag("INBOX", "b", "FS")
	a.deliver("Drafts", "d")
	a.sync()
	a.expect("INBOX/a:", "INBOX/b:FS", "INBOX/c:", "Drafts/d:")

	// New mail on both sides.
	a.deliver("INBOX", "e")
	a.put("INBOX", "f", "S", body("f"))
	a.sync()
	a.expect("INBOX/a:", "INBOX/b:FS", "INBOX/c:", "INBOX/e:", "INBOX/f:S", "Drafts/d:")

	// Flags on both sides.
	a.flag("INBOX", "a", "RS")
	a.letters("INBOX", "a", "F")
	a.letters("INBOX", "b", "P")
	a.sync()
	a.expect("INBOX/a:FRS", "INBOX/b:P", "INBOX/c:", "INBOX/e:", "INBOX/f:S", "Drafts/d:")

	// Deleted on both sides: here it goes to Trash, there it is gone for good.
	a.must(os.Remove(a.file("INBOX", "a")))
	a.srv.Expunge(a.user.Name, "INBOX", a.uid("INBOX", "b"))
	a.sync()
	a.expect("INBOX/c:", "INBOX/e:", "INBOX/f:S", "Trash/a:FRS", "Drafts/d:")

	// Moved on both sides.
	a.carry("INBOX", "c", "Archive")
	a.srv.Move(a.user.Name, "INBOX", a.uid("INBOX", "e"), a.mailbox("Archive"))
	counts := a.sync().Counts
	if counts.MovedLocal != 1 || counts.MovedRemote != 1 || counts.Uploaded+counts.Downloaded != 0 {
		a.Errorf("a move on each side was done as %+v", counts)
	}
	a.expect("INBOX/f:S", "Archive/c:", "Archive/e:", "Trash/a:FRS", "Drafts/d:")

	// A draft is edited here.
	a.letters("Drafts", "d", "DS")
	a.edit("Drafts", "d", body("d2"))
	a.sync()
	a.expect("INBOX/f:S", "Archive/c:", "Archive/e:", "Trash/a:FRS", "Drafts/d2:DS")
}

// TestRewritten: a server may change what it is given. The tree keeps the
// original, and nothing is transferred a second time because of the change.
func TestRewritten(t *testing.T) {
	eachServer(t, func(t *testing.T, row matrix.Server, srv lab.IMAP) {
		a := newAccount(t, srv)
		a.deliver("INBOX", "a")
		a.sync()
		odd := []byte("From: a@example.org\nMessage-ID: <odd@test>\nSubject: odd\nX-Name: J\xf6rg\n\nno end")
		a.put("INBOX", "odd", "S", odd)
		path := a.file("INBOX", "odd")
		a.sync()
		a.proxy.Reset()
		for range 2 {
			if counts := a.sync().Counts; counts != (engine.Counts{}) {
				t.Errorf("a run with nothing to do did %+v", counts)
			}
		}
		for _, c := range a.proxy.Changing() {
			t.Errorf("a run with nothing to do sent %q", c.Line)
		}
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, odd) {
			t.Errorf("the file is now %q, %v", data, err)
		}
		messages := srv.Messages(a.user.Name, "INBOX")
		if len(messages) != 2 {
			t.Fatalf("the server has %d messages, want 2", len(messages))
		}
		if rewritten := !bytes.Equal(lf(messages[1].Body), odd); rewritten != row.Rewrites {
			t.Errorf("the server made %q of it; the table says that it rewrites: %v", messages[1].Body, row.Rewrites)
		}
	})
}

// TestAnnounced: the table says what the servers announce today.
func TestAnnounced(t *testing.T) {
	eachServer(t, func(t *testing.T, row matrix.Server, srv lab.IMAP) {
		if peer, is := srv.(*lab.Peer); is && !strings.HasPrefix(peer.Version, row.Version) {
			t.Skipf("the table is about %s %s, this is %s", row.Name, row.Version, peer.Version)
		}
		u := srv.User("u1")
		c, err := imapclient.DialTLS(srv.Addr(), &imapclient.Options{TLSConfig: srv.TLS()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(u.Name, u.Password).Wait(); err != nil {
			t.Fatal(err)
		}
		caps, err := c.Capability().Wait()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range caps {
			got = append(got, strings.ToUpper(string(name))) // the library changes the case of some
		}
		want := strings.Fields(strings.ToUpper(row.Capability))
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the announcement of %s (-table +server):\n%s", row.Name, diff)
		}
	})
}
