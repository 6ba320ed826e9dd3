package engine_test

import (
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestReusedUIDOfAnExcludedMessage: the server was restored from before a message
// that is too large, and gives its UID to a new one. That one arrives.
func TestReusedUIDOfAnExcludedMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Reach = plan.Reach{SizeMax: 1000} }
	f.deliver("INBOX", "a", "b")
	f.clean()
	backup := f.server.Backup()
	f.server.Append("INBOX", sim.Message{Date: start, Body: append(body("large"), make([]byte, 2000)...)})
	f.clean()
	f.server.Restore(backup)
	f.world.Advance(25 * 60 * 60)
	f.server.Append("INBOX", sim.Message{Date: start + 90_000, Body: body("small")})
	f.clean()
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/small:")
}

// TestForgottenMailboxWithAHold: what the user removed on both sides is forgotten
// with its hold, and stops nobody.
func TestForgottenMailboxWithAHold(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Archive", "a", "b", "c")
	f.deliver("INBOX", "x", "y", "z")
	f.clean()
	f.tree.EmptyFolder("INBOX")
	f.tree.EmptyFolder("Archive")
	if n := len(f.sync().Holds); n != 2 {
		t.Fatalf("%d holds, want 2", n)
	}
	f.server.DeleteMailbox("Archive")
	f.tree.RemoveFolder("Archive")
	f.deliver("INBOX", "new")
	if h := hold(t, f.sync()); h.Mailbox != "INBOX" {
		t.Errorf("the hold is %+v, want that of INBOX", h)
	}
	if !slices.Contains(f.local(), "INBOX/new:") {
		t.Errorf("the tree has %q, want the new message, too", f.local())
	}
}

// TestPushOfAMaildirOfOnesOwn: folders that were made by another program get
// their markers, and what is in them goes to the server.
func TestPushOfAMaildirOfOnesOwn(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Direction = plan.Push }
	f.tree.AddFolder("Lists")
	f.tree.RemoveMarker("Lists")
	f.put("Lists", "S", "a")
	f.sync()
	f.sync()
	if got := f.remote(); !slices.Contains(got, "Lists/a:S") {
		t.Errorf("the server has %q, want the file's message", got)
	}
}

// TestRejectInOneDirection: the user's word counts more than the direction.
func TestRejectInOneDirection(t *testing.T) {
	for name, c := range map[string]struct {
		direction plan.Direction
		lose      func(*fixture)
	}{
		"pull": {plan.Pull, func(f *fixture) { f.server.WipeMailbox("INBOX") }},
		"push": {plan.Push, func(f *fixture) { f.tree.EmptyFolder("INBOX") }},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 3)
			f.opts = func(o *engine.Options) { o.Direction = c.direction }
			c.lose(f)
			f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
			f.clean()
			f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
		})
	}
}

// TestRemovalConfirmedInAnOpenMailbox: a listing that lacks the message confirms
// its removal although a hold keeps the mailbox open. Back later, it was put there.
func TestRemovalConfirmedInAnOpenMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Expunge = true }
	f.deliver("INBOX", tokens(60)...)
	f.clean()
	backup := f.server.Backup()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m000"))
	f.clean()
	for _, token := range tokens(60)[10:40] {
		f.tree.DeleteFile("INBOX", f.key("INBOX", token))
	}
	hold(t, f.sync())
	hold(t, f.sync())
	if left, err := f.store.Tombstones(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("removals still remembered are %+v, %v", left, err)
	}
	f.server.Restore(backup)
	f.sync()
	if !slices.Contains(f.remote(), "INBOX/m000:") {
		t.Error("the message that was put back is gone again")
	}
}
