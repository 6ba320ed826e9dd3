package engine_test

import (
	"context"
	"fmt"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// A server that rebuilds its index may show next to nothing of a mailbox, and a moment
// later everything under other UIDs. Dovecot does when dovecot-uidlist is lost: it
// looks into new/ first and into cur/ afterwards.

// giveBack gives the messages that were there before other UIDs.
func (f *fixture) giveBack(before []sim.Message) {
	for _, m := range before {
		f.server.Append("INBOX", m)
	}
}

// whenAsked lets something happen each time before INBOX is asked what comes next.
func (f *fixture) whenAsked(happen func(n int)) {
	n := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.next" && s.Subject == "INBOX" && !s.After {
			n++
			happen(n)
		}
		return nil
	})
}

// back is giveBack, when INBOX is asked for the first time.
func (f *fixture) back(before []sim.Message) {
	f.whenAsked(func(n int) {
		if n == 1 {
			f.giveBack(before)
		}
	})
}

// boastful is a server that promises more than there is.
type boastful struct{ engine.Remote }

func (r boastful) Next(ctx context.Context, mailbox string) (state.Cursor, error) {
	c, err := r.Remote.Next(ctx, mailbox)
	c.Messages++
	return c, err
}

// TestLostOnABoastfulServer: one more look is enough.
func TestLostOnABoastfulServer(t *testing.T) {
	f, _ := glimpse(t, sim.ServerOptions{}, []string{"a"}, []string{"a"})
	f.reconnect(func(r engine.Remote) engine.Remote { return boastful{r} })
	f.nothingTwice(f.clean(), 1, 1)
	f.expect("INBOX/a:F", "INBOX/new:")
}

// glimpse is a mailbox of which the server shows one new message alone. Some of the
// others have got a flag here.
func glimpse(t *testing.T, o sim.ServerOptions, tokens, flagged []string) (f *fixture, before []sim.Message) {
	t.Helper()
	f = newFixture(t, o)
	f.deliver("INBOX", tokens...)
	f.clean()
	for _, token := range flagged {
		f.tree.SetLetters("INBOX", f.key("INBOX", token), "F")
	}
	before = f.server.Messages("INBOX")
	for _, m := range before {
		f.server.Expunge("INBOX", m.UID)
	}
	f.deliver("INBOX", "new")
	return f, before
}

// TestBackBeforeTheUpload: what is back by the time that a message would be brought
// there once more is looked at first.
func TestBackBeforeTheUpload(t *testing.T) {
	for name, o := range map[string]sim.ServerOptions{"": {}, "without UIDPLUS": {NoUIDPlus: true}} {
		t.Run(name, func(t *testing.T) {
			f, before := glimpse(t, o, []string{"a"}, []string{"a"})
			f.back(before)
			report := f.sync()
			f.nothingTwice(report, 1, 0)
			f.expect("INBOX/a:F", "INBOX/new:")
		})
	}
}

// TestHeldTogether: while the user has not said whether the server can be believed,
// what was changed here is not brought there once more either. It is not gone
// for good when the server shows it again.
func TestHeldTogether(t *testing.T) {
	f, before := glimpse(t, sim.ServerOptions{}, []string{"a", "b", "d"}, []string{"a", "d"})
	for range 3 {
		hold(t, f.sync())
	}
	if got := f.remote(); len(got) != 1 {
		t.Errorf("the server has %q, want only what came", got)
	}
	f.giveBack(before)
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("INBOX/a:F", "INBOX/b:", "INBOX/d:F", "INBOX/new:")
}

// TestHeldTogetherHere is the same with the sides swapped: the files are put back.
func TestHeldTogetherHere(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "d")
	f.clean()
	for _, token := range []string{"a", "d"} {
		f.server.SetFlags("INBOX", f.uid("INBOX", token), state.Flagged)
	}
	before := f.tree.Files("INBOX")
	f.tree.EmptyFolder("INBOX")
	for range 3 {
		hold(t, f.sync())
	}
	if got := f.local(); len(got) != 0 {
		t.Errorf("the tree has %q, want nothing", got)
	}
	for _, file := range before {
		file.Key += ".restored"
		f.tree.PutFile("INBOX", file)
	}
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("INBOX/a:F", "INBOX/b:", "INBOX/d:F")
}

// TestFlaggedWhileHeld: flags that somebody sets here, on one held message after the
// other, are no answer to the question whether they are to go.
func TestFlaggedWhileHeld(t *testing.T) {
	tokens := []string{"a", "b", "c"}
	f, before := glimpse(t, sim.ServerOptions{}, tokens, nil)
	id := hold(t, f.sync()).ID
	for _, token := range tokens {
		f.tree.SetLetters("INBOX", f.key("INBOX", token), "F")
		if h := hold(t, f.sync()); h.ID != id || h.UIDs.Len() != len(tokens) {
			t.Errorf("the hold is %+v, want that of before for %d messages", h, len(tokens))
		}
	}
	f.giveBack(before)
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("INBOX/a:F", "INBOX/b:F", "INBOX/c:F", "INBOX/new:")
}

// TestBackBeforeTheMove: it lies in another folder here, and the mailbox that had it
// shows it again.
func TestBackBeforeTheMove(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a")
	f.deliver("Archive", "filed")
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
	before := f.server.Messages("INBOX")
	f.server.Expunge("INBOX", before[0].UID)
	f.deliver("INBOX", "new")
	f.back(before)
	f.nothingTwice(f.sync(), 1, 0)
	f.expect("Archive/a:", "Archive/filed:", "INBOX/new:")
}

// TestBackBeforeTheRemoval: the file stays, with what was changed about it here.
func TestBackBeforeTheRemoval(t *testing.T) {
	f, before := glimpse(t, sim.ServerOptions{}, []string{"a"}, nil)
	f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "S")
	f.back(before)
	f.nothingTwice(f.sync(), 1, 0)
	f.expect("INBOX/a:S", "INBOX/new:")
}

// TestHeldTogetherAndDecided: what was changed here is brought there however the
// user decides on the rest.
func TestHeldTogetherAndDecided(t *testing.T) {
	for decision, want := range map[state.Decision][]string{
		state.Approved: {"INBOX/a:F", "INBOX/new:"},
		state.Rejected: {"INBOX/a:F", "INBOX/b:", "INBOX/c:", "INBOX/new:"},
	} {
		f, _ := glimpse(t, sim.ServerOptions{}, []string{"a", "b", "c"}, []string{"a"})
		f.store.Decide(hold(t, f.sync()).ID, decision)
		f.clean()
		f.expect(want...)
	}
}

// TestSetBackBeforeTheUpload: count and UIDNEXT can only be less than they were on a
// server that was set back, and then the message may be there as well.
func TestSetBackBeforeTheUpload(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
	backup := f.server.Backup()
	f.deliver("INBOX", "c")
	f.server.Expunge("INBOX", f.uid("INBOX", "a"))
	f.whenAsked(func(n int) {
		if n == 1 {
			f.server.Restore(backup)
		}
	})
	f.sync()
	f.world.SetFault(nil)
	f.sync()
	if got := f.remote(); len(got) != 2 || got[0] != "INBOX/a:F" {
		t.Errorf("the server has %q, want one a, flagged, and b", got)
	}
}

// TestAllFlaggedHere: that all which is gone was changed here makes it no more plausible.
func TestAllFlaggedHere(t *testing.T) {
	tokens := []string{"a", "b", "c"}
	f, before := glimpse(t, sim.ServerOptions{}, tokens, tokens)
	for range 2 {
		hold(t, f.sync())
	}
	f.giveBack(before)
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("INBOX/a:F", "INBOX/b:F", "INBOX/c:F", "INBOX/new:")
}

// TestRemovedFromABusyMailbox: mail that comes all the time does not keep files of
// deleted messages for ever.
func TestRemovedFromABusyMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	f.server.Expunge("INBOX", f.uid("INBOX", "a"))
	f.whenAsked(func(n int) { f.deliver("INBOX", fmt.Sprint("more", n)) })
	if report := f.sync(); report.Counts.RemovedLocal != 1 {
		t.Errorf("counts are %+v, want one removal", report.Counts)
	}
}

// TestDecidedStaysDecided: what the user has decided about is not asked again because
// something else goes missing.
func TestDecidedStaysDecided(t *testing.T) {
	f, _ := glimpse(t, sim.ServerOptions{}, []string{"a", "b", "c"}, []string{"a"})
	h := hold(t, f.sync())
	f.store.Decide(h.ID, state.Approved)
	f.server.Expunge("INBOX", f.uid("INBOX", "new"))
	f.sync()
	if got := f.remote(); len(got) != 1 || got[0] != "INBOX/a:F" {
		t.Errorf("the server has %q, want what was flagged here", got)
	}
}
