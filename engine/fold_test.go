package engine_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestMailboxesThatDifferInCase: on a disk that ignores case the second one is left
// out for as long as it has no folder of its own, and nothing of it is lost.
func TestMailboxesThatDifferInCase(t *testing.T) {
	for _, folds := range []bool{false, true} {
		f := newFixture(t, sim.ServerOptions{})
		f.tree = sim.NewTree(sim.TreeOptions{World: f.world, FoldsCase: folds})
		for _, name := range []string{"Work", "work"} {
			f.server.CreateMailbox(name, state.RoleNone)
			f.deliver(name, "in "+name)
		}
		if !folds {
			f.clean()
			f.idle()
			continue
		}
		for range 2 {
			report := f.sync()
			if len(report.Problems) != 1 || report.Problems[0].Mailbox != "work" || !strings.Contains(report.Problems[0].Hint, "rename") {
				t.Fatalf("problems are %+v, want one about work", report.Problems)
			}
		}
		f.opts = func(o *engine.Options) { o.Rename = map[string]string{"work": "small work"} }
		f.clean()
		f.idle()
		if got := f.tree.Paths(); !slices.Contains(got, "Work") || !slices.Contains(got, "small%20work") {
			t.Errorf("the tree has %q", got)
		}
	}
}
