package engine_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// Clients that know no MOVE copy a message, and remove it where it was some time later,
// as mutt does when it leaves the mailbox. A run in between sees both.

// halfMoved is an account in step in which another client has copied messages of INBOX to
// Archive, and a run has seen it.
func halfMoved(t *testing.T, n int, how refiling, copied ...string) *fixture {
	t.Helper()
	f := full(t, n)
	f.copyOver("INBOX", "Archive", how, copied...)
	f.nothingTwice(f.clean(), len(copied), 0)
	return f
}

// TestHalfMoved: what had been flagged here when it went from INBOX was uploaded there
// again, although it was in Archive. The flags are of that one now.
func TestHalfMoved(t *testing.T) {
	for name, how := range refilings {
		t.Run(name, func(t *testing.T) {
			f := halfMoved(t, 6, how, "m000", "m001", "m002")
			f.vanish("INBOX", "m000", "m001", "m002")
			f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
			f.tree.SetLetters("INBOX", f.key("INBOX", "m001"), f.letters("S", "todo"))
			f.nothingTwice(f.clean(), 0, 0)
			f.expect("Archive/m000:F", "Archive/m001:S[todo]", "Archive/m002:", "INBOX/m003:", "INBOX/m004:", "INBOX/m005:")
		})
	}
}

// TestHalfMovedHere is the same with the sides swapped: what has been flagged on the
// server was downloaded again.
func TestHalfMovedHere(t *testing.T) {
	f := full(t, 4)
	for _, token := range []string{"m000", "m001"} {
		f.put("Archive", "", token)
	}
	f.nothingTwice(f.clean(), 0, 2)
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m000"))
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m001"))
	f.server.SetFlags("INBOX", f.uid("INBOX", "m000"), state.Flagged)
	f.nothingTwice(f.sync(), 2, 0) // from Trash
	f.expect("Archive/m000:F", "Archive/m001:", "INBOX/m002:", "INBOX/m003:", "Trash/m000:F", "Trash/m001:")
}

// TestHalfMovedOnBothSides: the file was moved to where the copy is.
func TestHalfMovedOnBothSides(t *testing.T) {
	f := halfMoved(t, 3, redated, "m000")
	f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{})
	f.vanish("INBOX", "m000")
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("Archive/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestHeldAndElsewhere: so many that they are held. The hold says where they are, and
// rejecting it does not double them.
func TestHeldAndElsewhere(t *testing.T) {
	for decision, want := range map[state.Decision]int{state.Approved: 0, state.Rejected: 10} {
		all := tokens(150)
		f := halfMoved(t, len(all), redated, all[:110]...)
		f.vanish("INBOX", all[:120]...)
		f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
		h := hold(t, f.sync())
		if h.UIDs.Len() != 120 || !strings.Contains(string(h.Reason), "; 110 of them are in Archive as well") {
			t.Errorf("the hold is %+v, want one that says where 110 of 120 are", h)
		}
		if again := hold(t, f.sync()); again.Reason != h.Reason {
			t.Errorf("the reason was %q and is %q", h.Reason, again.Reason)
		}
		f.store.Decide(h.ID, decision)
		f.nothingTwice(f.clean(), 0, want)
		list := f.remote()
		if n := len(list); n != 110+30+want || !slices.Contains(list, "Archive/m000:F") {
			t.Errorf("the server has %d messages, want %d, and m000 flagged", n, 110+30+want)
		}
		f.expect(list...)
	}
}

// TestLostAndElsewhere: what the server lost was copied to another mailbox before.
func TestLostAndElsewhere(t *testing.T) {
	f := full(t, 3)
	backup := f.server.Backup()
	f.deliver("INBOX", "lost", "gone")
	f.copyOver("INBOX", "Archive", redated, "lost")
	f.clean()
	archive := f.server.Messages("Archive")
	f.server.Restore(backup)
	f.server.Append("Archive", archive[0])
	h := hold(t, f.sync())
	if h.Lost != 2 || !strings.Contains(string(h.Reason), "; 1 of them is in Archive as well") {
		t.Errorf("the hold is %+v, want one that says where one of two is", h)
	}
	f.store.Decide(h.ID, state.Rejected)
	f.clean()
	f.expect("Archive/lost:", "INBOX/gone:", "INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestTwinInTrash: what lies in Trash does not count, for it goes from there by itself.
// What was flagged here is wanted.
func TestTwinInTrash(t *testing.T) {
	f := full(t, 3)
	f.copyOver("INBOX", "Trash", redated, "m000")
	f.clean()
	f.vanish("INBOX", "m000")
	f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
	f.nothingTwice(f.clean(), 0, 1)
	f.expect("INBOX/m000:F", "INBOX/m001:", "INBOX/m002:", "Trash/m000:")
}

// TestTwinThatGoesToo: no message is removed for the sake of one that is gone as well.
func TestTwinThatGoesToo(t *testing.T) {
	f := halfMoved(t, 3, redated, "m000")
	f.deliver("Archive", "filed")
	f.clean()
	f.vanish("INBOX", "m000")
	f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
	f.tree.DeleteFile("Archive", f.key("Archive", "m000"))
	f.clean()
	f.expect("Archive/filed:", "INBOX/m000:F", "INBOX/m001:", "INBOX/m002:", "Trash/m000:")
}

// TestFlagsThatCannotBeHandedOver: the server refuses the flag of the message that stays.
// The one that goes is not removed before it has been kept.
func TestFlagsThatCannotBeHandedOver(t *testing.T) {
	f := halfMoved(t, 3, redated, "m000")
	f.vanish("INBOX", "m000")
	f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.store" && s.Subject == "Archive" && !s.After {
			return refusal("store")
		}
		return nil
	})
	f.sync()
	if got := f.local(); !slices.Contains(got, "INBOX/m000:F") {
		t.Errorf("the tree has %q, want the flagged file in INBOX", got)
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("Archive/m000:F", "INBOX/m001:", "INBOX/m002:")
}

// TestHoldSaysWhatIsLeft: all but one of the messages come back. The hold went on to say
// that all were gone.
func TestHoldSaysWhatIsLeft(t *testing.T) {
	f := full(t, 5)
	files := f.tree.Files("INBOX")
	f.tree.EmptyFolder("INBOX")
	before := hold(t, f.sync())
	for _, file := range files[1:] {
		f.tree.PutFile("INBOX", file)
	}
	after := hold(t, f.sync())
	const want = "1 of 5 messages is gone, and more of them were at once"
	if after.ID != before.ID || after.UIDs.Len() != 1 || after.Reason != want {
		t.Errorf("the hold is %+v, want that of before for one message, %q", after, want)
	}
	if again := hold(t, f.sync()); again.Reason != want {
		t.Errorf("the next run says %q, want %q", again.Reason, want)
	}
}
