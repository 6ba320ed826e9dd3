package engine_test

import (
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestFlagsThatAreNotKept: a flag that the mailbox does not keep is no sign that
// somebody changed the message, and must not stop its removal or move.
func TestFlagsThatAreNotKept(t *testing.T) {
	t.Run("deleted in Trash", func(t *testing.T) {
		f := newFixture(t, sim.ServerOptions{})
		f.deliver("Trash", "a", "b", "c")
		f.clean()
		f.tree.SetLetters("Trash", f.key("Trash", "a"), "ST")
		f.clean()
		f.tree.DeleteFile("Trash", f.key("Trash", "a"))
		f.clean()
		f.expect("Trash/b:", "Trash/c:")
	})
	t.Run("moved with a flag of ours alone", func(t *testing.T) {
		f := newFixture(t, sim.ServerOptions{Permanent: state.AllFlags &^ state.Passed})
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "PS")
		f.clean()
		f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
		if n := f.clean().Counts.MovedRemote; n != 1 {
			t.Errorf("%d messages were moved, want 1", n)
		}
		if f.uid("Archive", "a"); f.key("Archive", "a") == "" {
			t.Error("it is not in both places")
		}
		f.idle()
	})
}

// TestMoveUnderAClaimedName: a file follows its message into a folder whose
// record of another, deleted file has the same name.
func TestMoveUnderAClaimedName(t *testing.T) {
	f := full(t, 4)
	key := f.key("INBOX", "m000")
	f.tree.PutFile("Archive", sim.File{Key: key, Data: f.tree.Files("INBOX")[0].Data, Date: start})
	f.put("Archive", "", "q")
	f.put("Archive", "", "r")
	f.clean()
	f.tree.DeleteFile("Archive", key)
	f.server.Move("INBOX", f.uid("INBOX", "m000"), "Archive")
	f.clean()
	f.expect("Archive/m000:", "Archive/q:", "Archive/r:", "INBOX/m001:", "INBOX/m002:", "INBOX/m003:", "Trash/m000:")
}

// TestMovesToSeveralPlaces: operations with different ends are carried out each
// with its own.
func TestMovesToSeveralPlaces(t *testing.T) {
	f := full(t, 6)
	f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{})
	f.tree.MoveFile("INBOX", f.key("INBOX", "m001"), "Trash", sim.MoveOptions{})
	f.tree.MoveFile("INBOX", f.key("INBOX", "m002"), "Archive", sim.MoveOptions{})
	f.tree.AddFolder("Work")
	f.tree.MoveFile("INBOX", f.key("INBOX", "m003"), "Work", sim.MoveOptions{})
	if n := f.clean().Counts.MovedRemote; n != 4 {
		t.Errorf("%d messages were moved, want 4", n)
	}
	f.expect("Archive/m000:", "Archive/m002:", "INBOX/m004:", "INBOX/m005:", "Trash/m001:", "Work/m003:")
}
