package engine_test

import (
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestUnchangedFolderIsNotRead: the records of a mailbox were read as a whole for one flag
// that had changed on the server.
func TestUnchangedFolderIsNotRead(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	for i := range 100 {
		f.deliver("INBOX", string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	f.clean()
	f.world.Advance(60)
	f.clean() // the folder has come to rest
	f.server.SetFlags("INBOX", f.uid("INBOX", "bb"), state.Flagged)
	var ops []string
	f.world.SetFault(func(s sim.Step) error {
		ops = append(ops, s.Op)
		return nil
	})
	f.clean()
	f.world.SetFault(nil)
	until := slices.Index(ops, "local.flags")
	if until < 0 {
		t.Fatalf("no flag was changed here: %q", ops)
	}
	if ops = ops[:until]; slices.Contains(ops, "store.records") || !slices.Contains(ops, "store.recordsOf") {
		t.Errorf("before the flag was changed here: %q", ops)
	}
}
