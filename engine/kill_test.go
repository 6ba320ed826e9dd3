package engine_test

import (
	"fmt"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestKilledAtTheSameStep: a machine that is never on for long kills each run after as many
// steps. Runs that got through the observation, and had a few steps left, did the same
// things again and again: they announced hundreds of downloads and cleared them up, read
// bodies into the hold area one after the other, or looked for uploads that had arrived,
// and were killed before they had recorded anything.
func TestKilledAtTheSameStep(t *testing.T) {
	const n = 40
	const runsMax = 4 * n
	for name, happen := range map[string]func(f *fixture, i int, token string){
		"downloads": func(f *fixture, i int, _ string) { f.deliver("INBOX", fmt.Sprint("new", i)) },
		"uploads":   func(f *fixture, i int, _ string) { f.put("INBOX", "", fmt.Sprint("mine", i)) },
		"moved here": func(f *fixture, _ int, token string) {
			f.tree.MoveFile("INBOX", f.key("INBOX", token), "Archive", sim.MoveOptions{})
		},
		"moved there":       func(f *fixture, _ int, token string) { f.refile("INBOX", "Archive", redated, token) },
		"deleted here":      func(f *fixture, _ int, token string) { f.tree.DeleteFile("INBOX", f.key("INBOX", token)) },
		"deleted there":     func(f *fixture, _ int, token string) { f.vanish("INBOX", token) },
		"removed for good":  func(f *fixture, _ int, token string) { f.tree.DeleteFile("INBOX", f.key("INBOX", token)) },
		"flagged on server": func(f *fixture, _ int, token string) { f.server.SetFlags("INBOX", f.uid("INBOX", token), state.Seen) },
	} {
		for _, steps := range []int{80, 95} {
			t.Run(fmt.Sprintf("%s, after %d steps", name, steps), func(t *testing.T) {
				f := full(t, 3*n)
				f.deliver("Archive", "filed")
				f.clean()
				for i, token := range tokens(n) {
					happen(f, i, token)
				}
				f.opts = func(o *engine.Options) {
					o.Interrupted, o.Expunge, o.Limits.FinalCount = true, name == "removed for good", n
				}
				runs := 0
				for ; f.interruptedAfter(steps) != nil; runs++ {
					if runs == runsMax {
						t.Fatalf("after %d runs the tree has %d messages and the server %d", runs, len(f.local()), len(f.remote()))
					}
				}
				f.expect(f.remote()...)
			})
		}
	}
}

// interruptedAfter runs once and is killed after so many steps, if it takes as many.
func (f *fixture) interruptedAfter(steps int) error {
	n := 0
	f.world.SetFault(func(sim.Step) error {
		if n++; n == steps {
			return sim.ErrKilled
		}
		return nil
	})
	_, err := f.run()
	f.world.SetFault(nil)
	f.world.Restart()
	return err
}
