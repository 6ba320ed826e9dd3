package engine_test

import (
	"strings"
	"testing"

	"mailmoor/test/sim"
)

// waitsFor runs and checks that messages are left alone because of the path.
func (f *fixture) waitsFor(path string) {
	f.t.Helper()
	for _, p := range f.sync().Problems {
		if strings.Contains(string(p.Text), "left alone: ") && strings.Contains(string(p.Text), path) {
			return
		}
	}
	f.t.Errorf("no message waits because of %q", path)
}

// TestMisnamedFile: a reader gave the file of a message a name that no message can have.
// It was moved to Trash, and there twice when the name was mended. Another message,
// deleted in earnest in another folder, does not wait: the odd file could be read and is not
// that one.
func TestMisnamedFile(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "c")
	f.deliver("Archive", "b", "d")
	f.clean()
	odd := f.key("INBOX", "a")
	f.tree.Misname("INBOX", odd, true)
	f.tree.DeleteFile("Archive", f.key("Archive", "b"))
	f.waitsFor("INBOX/" + string(odd))
	if got := strings.Join(f.remote(), " "); got != "Archive/d: INBOX/a: INBOX/c: Trash/b:" {
		t.Errorf("the server has %s", got)
	}
	f.waitsFor("INBOX/" + string(odd))
	f.tree.Misname("INBOX", odd, false)
	f.clean()
	f.expect("Archive/d:", "INBOX/a:", "INBOX/c:", "Trash/b:")
}

// TestStrayThatNobodyCanRead: as long as nothing tells what it is, it may be any message;
// and it is none once it has been there while none was missing.
func TestStrayThatNobodyCanRead(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	locked := f.put("Archive", "", "locked")
	f.tree.SetUnreadable("Archive", locked, true)
	f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
	f.waitsFor("Archive/" + string(locked))
	if got := strings.Join(f.remote(), " "); got != "INBOX/a: INBOX/b: INBOX/c:" {
		t.Fatalf("the server has %s", got)
	}
	// The user finds that it is something else, and puts it away for a while.
	f.tree.DeleteFile("Archive", locked)
	f.clean()
	locked = f.put("Archive", "", "locked")
	f.tree.SetUnreadable("Archive", locked, true)
	f.sync()
	f.sync()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "b"))
	f.sync()
	if got := strings.Join(f.remote(), " "); got != "INBOX/c: Trash/a: Trash/b:" {
		t.Errorf("the server has %s", got)
	}
}

// TestFolderLeftOut: files were moved into a directory that is left out. They were
// removed on the server; what else is deleted meanwhile does not wait for them.
func TestFolderLeftOut(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "c")
	f.deliver("Archive", "b", "d")
	f.clean()
	f.tree.AddFolder("Lists")
	f.tree.LeaveOut("Lists", true)
	moved := f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Lists", sim.MoveOptions{})
	f.tree.DeleteFile("Archive", f.key("Archive", "b"))
	f.waitsFor("Lists/" + string(moved))
	if got := strings.Join(f.remote(), " "); got != "Archive/d: INBOX/a: INBOX/c: Trash/b:" {
		t.Fatalf("the server has %s", got)
	}
	f.tree.LeaveOut("Lists", false)
	f.clean()
	f.expect("Archive/d:", "INBOX/c:", "Lists/a:", "Trash/b:")
}

// TestMovedIntoRenamedFolder: a folder that was renamed by hand is held as a whole, and
// nobody looks into it. What is moved there from another folder is not deleted.
func TestMovedIntoRenamedFolder(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.deliver("Archive", "c")
	f.clean()
	f.tree.RenameFolder("Archive", "Old")
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Old", sim.MoveOptions{})
	f.sync()
	if got := strings.Join(f.remote(), " "); got != "Archive/c: INBOX/a: INBOX/b:" {
		t.Errorf("the server has %s", got)
	}
	f.tree.RenameFolder("Old", "Archive")
	f.clean()
	f.expect("Archive/a:", "Archive/c:", "INBOX/b:")
}

// TestStrayIsNotClearedByItsOwnMove: a stray that came to be in the very cycle that saw
// all messages may have been one of them a moment ago.
func TestStrayIsNotClearedByItsOwnMove(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Archive", "a", "b")
	f.deliver("INBOX", "c")
	f.clean()
	key := f.key("Archive", "a")
	moved := false
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.scan" && s.After && !moved {
			moved = true
			f.tree.MoveFile("Archive", key, "INBOX", sim.MoveOptions{})
			f.tree.SetUnreadable("INBOX", key, true)
		}
		return nil
	})
	f.put("Archive", "", "n") // so that it is scanned
	f.sync()
	f.world.SetFault(nil)
	f.sync()
	f.sync()
	if got := strings.Join(f.remote(), " "); got != "Archive/a: Archive/b: Archive/n: INBOX/c:" {
		t.Errorf("the server has %s", got)
	}
	if notes, err := f.store.StrayNotes(t.Context()); err != nil || len(notes) > 1 || len(notes) == 1 && notes[0].Cleared {
		t.Errorf("notes are %+v, error %v", notes, err)
	}
}
