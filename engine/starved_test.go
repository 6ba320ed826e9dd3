package engine_test

import (
	"errors"
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// What killing the program, and letting its calls fail, has brought to light.

// TestUnreadableFileAndItsMessage: a file cannot be read for a moment, and the
// server has the same message. It must not be downloaded beside the file.
func TestUnreadableFileAndItsMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a")
	f.tree.AddFolder("INBOX")
	key := f.put("INBOX", "", "a")
	f.tree.SetUnreadable("INBOX", key, true)
	if report := f.sync(); !slices.ContainsFunc(report.Problems, func(p state.Problem) bool { return p.Mailbox == "INBOX" && p.Subject == "" }) {
		t.Errorf("problems are %+v, want one that says that a message waits", report.Problems)
	}
	if got := f.tree.Files("INBOX"); len(got) != 1 {
		t.Errorf("the folder has %d files, want the one that nobody could read", len(got))
	}
	f.tree.SetUnreadable("INBOX", key, false)
	f.clean()
	f.expect("INBOX/a:")
}

// TestMovedApartWhileAFolderCannotBeRead: both sides moved a message, to different
// places, and the folder where the file lies cannot be scanned for a moment.
func TestMovedApartWhileAFolderCannotBeRead(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("INBOX", "a", "b")
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
	f.server.Move("INBOX", f.uid("INBOX", "a"), "Drafts")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.scan" && s.Subject == "Archive" {
			return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseDisk, Doing: "scan Archive", Err: errors.New("input/output error")}
		}
		return nil
	})
	if report := f.sync(); report.Counts.Downloaded > 0 || len(report.Problems) == 0 {
		t.Errorf("the run ended with %+v, want no download and a problem", report)
	}
	f.world.SetFault(nil)
	f.clean()
	f.clean()
	f.expect("Drafts/a:", "INBOX/b:")
}

// TestOwnDeletedFlagIsNoOtherClients: the server has our \Deleted already, and the
// run was killed before it was recorded. Both sides agree.
func TestOwnDeletedFlagIsNoOtherClients(t *testing.T) {
	f := full(t, 2)
	f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "FT")
	f.server.SetFlags("INBOX", f.uid("INBOX", "m000"), state.Flagged|state.Trashed)
	f.clean()
	f.expect("INBOX/m000:FT", "INBOX/m001:")
}

// TestRejectionOutlastsAKill: what the user decided counts until it is done.
func TestRejectionOutlastsAKill(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Archive", "a", "b")
	f.clean()
	f.server.DeleteMailbox("Archive")
	f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
	f.killed(func(s sim.Step) bool { return s.Op == "store.forget" && !s.After })
	f.clean()
	f.expect("Archive/a:", "Archive/b:")
}

// TestHoleElsewhere: a message was moved to a mailbox that the server does not
// list completely. Its file stays until it does.
func TestHoleElsewhere(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.deliver("Archive", "c")
	f.clean()
	f.server.Configure(func(o *sim.ServerOptions) { o.NoListing = true })
	f.server.Expunge("INBOX", f.uid("INBOX", "a"))
	report := f.sync()
	if len(report.Problems) == 0 || !slices.Contains(f.local(), "INBOX/a:") {
		t.Errorf("problems are %+v, the tree has %q; want a and a word about it", report.Problems, f.local())
	}
	f.server.Configure(func(o *sim.ServerOptions) { o.NoListing = false })
	f.clean()
	f.expect("Archive/c:", "INBOX/b:")
}

// TestNothingStaysInTmp: a download was interrupted while its body was being
// written, and before the next run the mailbox is renumbered, or the user deletes
// what is known of it, or the message comes by another way. Nobody would ever look
// at what lies in tmp/ again.
func TestNothingStaysInTmp(t *testing.T) {
	for name, meanwhile := range map[string]func(*fixture){
		"nothing else":   func(*fixture) {},
		"renumbered":     func(f *fixture) { f.server.ResetUIDValidity("INBOX") },
		"other messages": func(f *fixture) { f.server.ResetUIDValidity("INBOX"); f.server.Expunge("INBOX", 3) },
		"deleted there":  func(f *fixture) { f.server.Expunge("INBOX", 3) },
		"there already":  func(f *fixture) { f.put("INBOX", "", "new") },
		"no look":        func(f *fixture) { f.blind() },
		"no look, renumbered": func(f *fixture) {
			f.server.ResetUIDValidity("INBOX")
			f.blind()
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			f.deliver("INBOX", "a", "b")
			f.clean()
			f.deliver("INBOX", "new")
			f.killed(func(s sim.Step) bool { return s.Op == "local.add" && s.After })
			if got := f.tree.Leftovers("INBOX"); len(got) != 1 {
				t.Fatalf("tmp/ has %d files, want the one that was being written", len(got))
			}
			meanwhile(f)
			f.sync()
			if got := f.tree.Leftovers("INBOX"); len(got) > 0 {
				t.Errorf("tmp/ still has %v", got)
			}
			if open, err := f.store.Intents(t.Context()); err != nil || len(open) > 0 {
				t.Errorf("open intents are %+v, error %v", open, err)
			}
		})
	}
}

// blind runs once while nobody can find out which files have come into being: what
// was interrupted is then done in other ways.
func (f *fixture) blind() {
	f.t.Helper()
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.find" {
			return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseDisk, Doing: "look at Archive", Err: errors.New("input/output error")}
		}
		return nil
	})
	f.sync()
	f.world.SetFault(nil)
}

// TestUnreadableFileAndAnother: one of two new files cannot be read for a moment, and
// the server has the same message as the other one. That one must not be uploaded.
func TestUnreadableFileAndAnother(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "same")
	f.tree.AddFolder("INBOX")
	key := f.put("INBOX", "", "mine")
	f.put("INBOX", "F", "same")
	f.tree.SetUnreadable("INBOX", key, true)
	f.sync()
	f.tree.SetUnreadable("INBOX", key, false)
	f.clean()
	f.expect("INBOX/a:", "INBOX/mine:", "INBOX/same:F")
}

// TestUnfinishedFileThatStays: a body breaks off, and the file that was begun cannot be
// removed for a moment. It is removed later.
func TestUnfinishedFileThatStays(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	broken, failures := false, 0
	f.world.SetFault(func(s sim.Step) error {
		switch {
		case s.Op == "local.add" && s.After && !broken:
			broken = true
			return &state.Error{Scope: state.ScopeMessage, Cause: state.CauseRefused, Doing: "write UID 1", Err: errors.New("it breaks off")}
		case s.Op == "local.discard" && !s.After && broken && failures < 2:
			failures++
			return &state.Error{Scope: state.ScopeMessage, Cause: state.CauseDisk, Doing: "remove tmp/k", Err: errors.New("input/output error")}
		}
		return nil
	})
	f.sync()
	f.world.SetFault(nil)
	f.sync()
	if got := f.tree.Leftovers("INBOX"); len(got) > 0 {
		t.Errorf("tmp/ still has %v", got)
	}
	if failures == 0 {
		t.Error("nothing was to be removed")
	}
}
