package engine_test

import (
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestDraftSavedAgainAndKilled: a draft was saved again as another file, and a run is killed
// at each of its steps. The old version does not come back, nor does it go to Trash because
// the next run sees only that it is gone, and no new file.
func TestDraftSavedAgainAndKilled(t *testing.T) {
	saved := func(f *fixture) {
		f.server.CreateMailbox("Drafts", state.RoleDrafts)
		f.deliver("Drafts", "a", "b", "stay")
		f.clean()
		f.tree.DeleteFile("Drafts", f.key("Drafts", "a"))
		f.put("Drafts", "D", "a2")
		f.clean()
		f.tree.DeleteFile("Drafts", f.key("Drafts", "b"))
		f.clean()
		f.expect("Drafts/a2:D", "Drafts/stay:", "Trash/b:")
	}
	for name, options := range map[string]sim.ServerOptions{"full": {}, "neither UIDPLUS nor MOVE": {NoUIDPlus: true, NoMove: true}} {
		t.Run(name, func(t *testing.T) { interruptEverywhere(t, options, saved, sim.ErrKilled) })
	}
}
