package engine_test

import (
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
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "store.settle" && s.After {
			return sim.ErrKilled
		}
		return nil
	})
	_, _ = f.run()
	f.world.SetFault(nil)
	if !f.world.Dead() {
		t.Fatal("the run was not killed")
	}
	f.world.Restart()
	f.server.Restore(backup)
	f.world.Advance(day)
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:")
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
