package engine_test

import (
	"errors"
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// day is after how many seconds everything is looked at, changed or not.
const day = 24 * 60 * 60

// TestSetBackToTheSavedCursor: flags were recorded, the run was killed before it
// saved how far it had come, and the server was set back to exactly what the cursor of
// the run before says. STATUS proved the mailbox unchanged, and the flags differed for
// good.
func TestSetBackToTheSavedCursor(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	f.idle()
	backup := f.server.Backup()
	f.mark("INBOX", "a", "S")
	f.killAfter("store.settle")
	f.server.Restore(backup)
	f.world.Advance(day)
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:")
}

// killAfter runs once, and kills the run at the first such step after something was
// recorded. Nobody learns how the server describes what is uploaded.
func (f *fixture) killAfter(op string) {
	f.t.Helper()
	sent, settled := false, false
	f.world.SetFault(func(s sim.Step) error {
		sent, settled = sent || s.Op == "remote.append", settled || s.Op == "store.settle"
		switch {
		case settled && s.Op == op && s.After:
			return sim.ErrKilled
		case sent && s.Op == "remote.identify":
			return refusal(s.Op)
		}
		return nil
	})
	_, _ = f.run()
	f.world.SetFault(nil)
	if !f.world.Dead() {
		f.t.Fatal("the run was not killed")
	}
	f.world.Restart()
}

// TestSetBackAndOvertaken: a server that was set back had got as far again when the
// next run looked. The mod-sequence hid which flags it had forgotten, and which it
// had meanwhile.
func TestSetBackAndOvertaken(t *testing.T) {
	for name, flags := range map[string][]state.Flags{
		"as far as before": {state.Flagged},
		"further":          {state.Flagged, 0, state.Answered},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			f.deliver("INBOX", "a", "b", "c")
			f.clean()
			backup := f.server.Backup()
			f.mark("INBOX", "a", "S")
			f.clean()
			f.server.Restore(backup)
			for _, flag := range flags {
				f.server.SetFlags("INBOX", f.uid("INBOX", "b"), flag)
			}
			f.world.Advance(day)
			f.clean()
			f.expect("INBOX/a:", "INBOX/b:"+flags[len(flags)-1].String(), "INBOX/c:")
		})
	}
}

// TestSetBackWithTheClock: the server was set back to before an upload, and the clock,
// too. For one judge the upload was of just now, for ever; for the other it was not, so
// that its file was removed as that of a message which somebody had deleted.
func TestSetBackWithTheClock(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	backup := f.server.Backup()
	f.put("INBOX", "", "late")
	f.killAfter("store.settle")
	f.server.Restore(backup)
	f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
	f.world.Advance(-10_000)
	if h := hold(t, f.sync()); h.Lost != 1 {
		t.Errorf("the hold is %+v, want one for the lost message", h)
	}
	if want := []string{"INBOX/a:S", "INBOX/b:", "INBOX/late:"}; !slices.Equal(f.local(), want) {
		t.Errorf("the tree has %q, want %q", f.local(), want)
	}
}

// TestSetBackAsAWhole: the server was set back, and what had come to INBOX since brought
// it to just where the saved cursor stood. That Archive was set back is reason enough to
// look: the new message was not seen for a day.
func TestSetBackAsAWhole(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.deliver("Archive", "c")
	f.clean()
	backup := f.server.Backup()
	f.deliver("INBOX", "forgotten")
	f.deliver("Archive", "e")
	f.clean()
	f.server.Restore(backup)
	f.server.Append("INBOX", sim.Message{Date: start, Body: body("new")})
	f.sync()
	report := f.sync()
	if got := f.local(); !slices.Contains(got, "INBOX/new:") || !slices.Contains(got, "INBOX/forgotten:") {
		t.Errorf("the tree has %q, without what is new or what the server has forgotten", got)
	}
	lost := 0
	for _, h := range report.Holds {
		lost += h.Lost
	}
	if lost != 2 {
		t.Errorf("%d messages are reported as lost by the server, want 2: %+v", lost, report.Holds)
	}
	f.idle()
}

// TestUIDGivenAgainToAnUpload: an upload was recorded, the run was killed, and the
// server was set back to before it: that it did not show the message yet seemed to be
// slowness. The next upload got the same UID, its record took the place of the first
// one, and the first file was uploaded again without a word.
func TestUIDGivenAgainToAnUpload(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	backup := f.server.Backup()
	f.put("INBOX", "", "first")
	f.killAfter("store.settle")
	f.server.Restore(backup)
	f.put("INBOX", "", "next")
	if h := hold(t, f.sync()); h.Lost != 1 {
		t.Errorf("the hold is %+v, want one for the lost message", h)
	}
	if want := []string{"INBOX/a:", "INBOX/b:", "INBOX/next:"}; !slices.Equal(f.remote(), want) {
		t.Errorf("the server has %q, want %q", f.remote(), want)
	}
	f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/first:", "INBOX/next:")
}

// TestUIDGivenAgainToAMove is the same with files that were moved from Archive, whose
// cursor shows that the server was set back. When it is set back once more after the
// second move, nothing but the old record tells where the message was: it was in both
// mailboxes in the end.
func TestUIDGivenAgainToAMove(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.deliver("Archive", "first", "next", "c")
	f.clean()
	backup := f.server.Backup()
	f.deliver("Archive", "passing")
	f.clean()
	f.server.Expunge("Archive", f.uid("Archive", "passing"))
	f.clean()
	move := func(token string) { f.tree.MoveFile("Archive", f.key("Archive", token), "INBOX", sim.MoveOptions{}) }
	move("first")
	f.killAfter("store.mailbox")
	f.server.Restore(backup)
	move("next")
	moved := false
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.move" && s.After {
			moved = true
		}
		if moved && s.Op == "store.mailbox" && s.After {
			f.server.Restore(backup)
			return errors.New("the disk is full")
		}
		return nil
	})
	_, _ = f.run()
	f.world.SetFault(nil)
	if !moved {
		t.Fatal("nothing was moved")
	}
	f.clean()
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/next:", "Archive/first:", "Archive/c:")
}
