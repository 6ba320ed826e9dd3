package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestCancelAtEveryStep ends a run in good order at every step. What has come to be until
// then is recorded and counted: after Ctrl-C the last messages lay in new/, and neither the
// summary nor the state knew of them.
func TestCancelAtEveryStep(t *testing.T) {
	for n := 1; n <= stepsMax; n++ {
		f := newFixture(t, sim.ServerOptions{})
		f.deliver("INBOX", "gone", "moves", "stays")
		f.clean()
		f.deliver("INBOX", "a", "b")
		f.put("INBOX", "", "mine")
		f.server.Expunge("INBOX", f.uid("INBOX", "gone"))
		f.tree.MoveFile("INBOX", f.key("INBOX", "moves"), "Archive", sim.MoveOptions{})
		f.server.SetFlags("INBOX", f.uid("INBOX", "stays"), state.Seen)
		before := len(f.tree.Files("INBOX")) + len(f.tree.Files("Archive"))

		ctx, cancel := context.WithCancel(t.Context())
		last, steps := sim.Step{}, 0
		f.world.SetFault(func(s sim.Step) error {
			if steps++; steps == n {
				last = s
				cancel()
			}
			return nil
		})
		f.world.Advance(10)
		e := f.engine()
		report, err := e.Sync(ctx)
		cancel()
		f.world.SetFault(nil)
		if closed := e.Close(); closed != nil {
			t.Fatal(closed)
		}
		at := fmt.Sprintf("step %d, %s of %q, after: %t", n, last.Op, last.Subject, last.After)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", at, err)
		}
		after := len(f.tree.Files("INBOX")) + len(f.tree.Files("Archive"))
		if c := report.Counts; after-before != c.Downloaded-c.RemovedLocal {
			t.Fatalf("%s: there were %d files, and now %d; the report says %d downloaded and %d removed",
				at, before, after, c.Downloaded, c.RemovedLocal)
		}
		f.clean()
		f.expect("INBOX/a:", "INBOX/b:", "INBOX/mine:", "INBOX/stays:S", "Archive/moves:")
		if steps < n {
			if n < 50 {
				t.Fatalf("a run has only %d steps: it does nothing", steps)
			}
			return
		}
	}
}
