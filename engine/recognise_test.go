package engine_test

import (
	"fmt"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// recognises reports whether the server is taken for the one that the records are about.
func (f *fixture) recognises() bool {
	f.t.Helper()
	e := f.engine()
	defer e.Close()
	same, err := e.Recognises(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return same
}

// synced20 returns an account with 20 known messages in the mailbox.
func synced20(t *testing.T, mailbox string) *fixture {
	t.Helper()
	f := newFixture(t, sim.ServerOptions{})
	if mailbox != "INBOX" {
		f.server.CreateMailbox(mailbox, state.RoleNone)
	}
	for n := range 20 {
		f.deliver(mailbox, fmt.Sprint("m", n))
	}
	f.sync()
	return f
}

// TestRecognises: it is the same account, under whatever name, if the known messages
// stand where they were. What came and went meanwhile makes no difference.
func TestRecognises(t *testing.T) {
	t.Run("nothing is known", func(t *testing.T) {
		f := newFixture(t, sim.ServerOptions{})
		f.deliver("INBOX", "m")
		if !f.recognises() {
			t.Error("without records nothing can be wrong")
		}
	})
	t.Run("the same", func(t *testing.T) {
		f := synced20(t, "INBOX")
		f.server.Expunge("INBOX", 20)
		f.server.Expunge("INBOX", 3)
		f.deliver("INBOX", "new")
		if !f.recognises() {
			t.Error("it is not recognised after one message went and one came")
		}
	})
	t.Run("another generation", func(t *testing.T) {
		f := synced20(t, "INBOX")
		f.server.ResetUIDValidity("INBOX")
		if f.recognises() {
			t.Error("it is recognised under another UIDVALIDITY")
		}
	})
	t.Run("other messages", func(t *testing.T) {
		f, other := synced20(t, "INBOX"), newFixture(t, sim.ServerOptions{})
		for n := range 20 {
			other.deliver("INBOX", fmt.Sprint("other", n))
		}
		other.store, other.tree = f.store, f.tree
		if f.known("INBOX").Cursor.UIDValidity != other.server.Cursor("INBOX").UIDValidity {
			t.Fatal("the two servers must have the same UIDVALIDITY, as those that one script has made")
		}
		if other.recognises() {
			t.Error("another server is recognised, which has other messages under the same UIDs")
		}
	})
	t.Run("nothing of it is there any more", func(t *testing.T) {
		f := synced20(t, "INBOX")
		for uid := range state.UID(20) {
			f.server.Expunge("INBOX", uid+1)
		}
		if f.recognises() {
			t.Error("it is recognised by nothing")
		}
	})
}

// TestRecognisesCopy: an old copy of the server, and one without what is known.
func TestRecognisesCopy(t *testing.T) {
	t.Run("an old copy", func(t *testing.T) {
		f := synced20(t, "INBOX")
		known := f.known("INBOX")
		known.Cursor.UIDNext += 7
		if err := f.store.PutMailbox(t.Context(), known); err != nil {
			t.Fatal(err)
		}
		if f.recognises() {
			t.Error("it is recognised, though it will give known UIDs once more")
		}
	})
	t.Run("INBOX was always empty", func(t *testing.T) {
		f := synced20(t, "Lists")
		if !f.recognises() {
			t.Error("it is not recognised by another mailbox")
		}
		f.server.DeleteMailbox("Lists")
		if f.recognises() {
			t.Error("it is recognised without the mailbox")
		}
	})
}
