package engine_test

import (
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// rematched are the stories in which UIDs, or the whole base, cannot be believed
// any more.
var rematched = []scenario{
	{"renumbered under a new UIDVALIDITY", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c", "d")
		f.clean()
		f.server.ResetUIDValidity("INBOX")
		f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.tree.DeleteFile("INBOX", f.key("INBOX", "b"))
		f.deliver("INBOX", "e")
		f.put("INBOX", "S", "f")
		if n := f.clean().Counts.Rematched; n != 4 && f.interruptAt == 0 {
			f.t.Errorf("%d messages were found again, want 4", n)
		}
		f.clean()
		f.expect("INBOX/a:FS", "INBOX/c:", "INBOX/d:", "INBOX/e:", "INBOX/f:S", "Trash/b:")
	}},
	{"renumbered while messages moved", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c", "d")
		f.clean()
		f.server.Move("INBOX", f.uid("INBOX", "a"), "Archive")
		f.tree.MoveFile("INBOX", f.key("INBOX", "b"), "Archive", sim.MoveOptions{})
		f.server.ResetUIDValidity("INBOX")
		f.nothingTwice(f.clean(), 0, 0)
		f.clean()
		f.expect("Archive/a:", "Archive/b:", "INBOX/c:", "INBOX/d:")
	}},
	{"renumbered with equal messages", func(f *fixture) {
		f.deliver("INBOX", "a", "a", "b", "a")
		f.clean()
		f.server.ResetUIDValidity("INBOX")
		f.nothingTwice(f.clean(), 0, 0)
		f.expect("INBOX/a:", "INBOX/a:", "INBOX/a:", "INBOX/b:")
	}},
	{"both mailboxes of a move renumbered", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.deliver("Archive", "d")
		f.clean()
		f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
		f.server.ResetUIDValidity("INBOX")
		f.server.ResetUIDValidity("Archive")
		f.nothingTwice(f.clean(), 0, 0)
		f.clean()
		f.expect("Archive/a:", "Archive/d:", "INBOX/b:", "INBOX/c:")
	}},
	{"a draft edited and renumbered", func(f *fixture) {
		f.server.CreateMailbox("Drafts", state.RoleDrafts)
		f.deliver("Drafts", "a", "b")
		f.clean()
		f.edit("Drafts", "a", "edited")
		f.server.ResetUIDValidity("Drafts")
		f.clean()
		f.clean()
		f.expect("Drafts/b:", "Drafts/edited:")
	}},
	{"the server restored, UIDs given again", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		backup := f.server.Backup()
		f.deliver("INBOX", "lost")
		f.clean()
		f.server.Restore(backup)
		f.world.Advance(25 * 60 * 60) // the four values of STATUS may say nothing
		f.server.Append("INBOX", sim.Message{Date: start + 60, Body: body("other")})
		report := f.sync()
		if f.interruptAt > 0 {
			report = f.sync()
		}
		h := hold(f.t, report)
		if h.Lost != 1 || h.Missing != state.Remote {
			f.t.Errorf("the hold is %+v, want one for the lost message", h)
		}
		f.store.Decide(h.ID, state.Rejected)
		f.clean()
		f.clean()
		f.expect("INBOX/a:", "INBOX/b:", "INBOX/c:", "INBOX/other:", "INBOX/lost:")
	}},
	{"an old state put back", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c", "d", "e")
		f.clean()
		backup := f.store.Backup()
		f.deliver("INBOX", "new")
		f.put("INBOX", "", "sent")
		f.server.Move("INBOX", f.uid("INBOX", "a"), "Archive")
		f.tree.MoveFile("INBOX", f.key("INBOX", "b"), "Archive", sim.MoveOptions{})
		f.tree.DeleteFile("INBOX", f.key("INBOX", "c"))
		f.server.SetFlags("INBOX", f.uid("INBOX", "d"), state.Seen)
		f.clean()
		f.clean()
		f.store.Restore(backup)
		f.nothingTwice(f.clean(), 0, 0)
		f.clean()
		f.expect("Archive/a:", "Archive/b:", "INBOX/d:S", "INBOX/e:", "INBOX/new:", "INBOX/sent:", "Trash/c:")
	}},
	{"files missing from a tree that was put back", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c", "d")
		f.clean()
		f.tree.DeleteFile("INBOX", f.key("INBOX", "c"))
		f.tree.DeleteFile("INBOX", f.key("INBOX", "d"))
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
		f.store.Doubt()
		f.nothingTwice(f.clean(), 2, 0)
		f.clean()
		f.expect("INBOX/a:FS", "INBOX/b:", "INBOX/c:", "INBOX/d:")
	}},
}

// nothingTwice checks how many messages crossed the line.
func (f *fixture) nothingTwice(r engine.Report, down, up int) {
	f.t.Helper()
	if c := r.Counts; f.interruptAt == 0 && (c.Downloaded != down || c.Uploaded != up) {
		f.t.Errorf("counts are %+v, want %d downloads and %d uploads", c, down, up)
	}
}

// lostOne returns an account whose server was set back, so that it lost one of
// four messages.
func lostOne(t *testing.T) *fixture {
	t.Helper()
	f := full(t, 3)
	backup := f.server.Backup()
	f.deliver("INBOX", "lost")
	f.clean()
	f.server.Restore(backup)
	h := hold(t, f.sync())
	if h.Lost != 1 || h.Mailbox != "INBOX" || h.Missing != state.Remote || h.Reason == "" {
		t.Fatalf("the hold is %+v, want one for the lost message", h)
	}
	return f
}

// TestLostByTheServer: what the server lost is neither removed here nor sent to
// it without the user's word, however often a run looks.
func TestLostByTheServer(t *testing.T) {
	f := lostOne(t)
	remote, local := f.remote(), f.local()
	f.deliver("INBOX", "next")
	for range 3 {
		hold(t, f.sync())
	}
	if got, want := f.remote(), append(remote, "INBOX/next:"); !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	want := append(local, "INBOX/next:")
	slices.Sort(want)
	if got := f.local(); !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
}

func TestApproveLoss(t *testing.T) {
	f := lostOne(t)
	f.store.Decide(hold(t, f.sync()).ID, state.Approved)
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
	if held := f.tree.Held(); len(held) != 1 {
		t.Errorf("the hold area has %q, want the lost message", held)
	}
}

func TestRejectLoss(t *testing.T) {
	f := lostOne(t)
	f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
	if c := f.clean().Counts; c.Uploaded != 1 {
		t.Errorf("counts are %+v, want one upload", c)
	}
	f.expect("INBOX/lost:", "INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestApprovalReachesNoFurther: what is lost after the user has decided is not
// covered by the decision.
func TestApprovalReachesNoFurther(t *testing.T) {
	f := lostOne(t)
	backup := f.server.Backup()
	f.deliver("INBOX", "lost too")
	first := hold(t, f.sync())
	f.server.Restore(backup)
	f.store.Decide(first.ID, state.Approved)
	second := hold(t, f.sync())
	if second.ID == first.ID || second.Lost != 1 {
		t.Errorf("the hold is %+v, want another one for the second loss", second)
	}
	if want := "INBOX/lost too:"; !slices.Contains(f.local(), want) {
		t.Errorf("the tree has %q, want %s among them", f.local(), want)
	}
}

// TestLostAndFound: a message that the server shows again is paired as before,
// without a transfer, wherever it turns up.
func TestLostAndFound(t *testing.T) {
	for _, mailbox := range []string{"INBOX", "Archive"} {
		t.Run(mailbox, func(t *testing.T) {
			f := lostOne(t)
			f.deliver(mailbox, "lost")
			f.nothingTwice(f.clean(), 0, 0)
			f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:", mailbox+"/lost:")
		})
	}
}

// TestUserDecidesByHand: whoever deletes, edits or moves the file of a lost
// message has decided about it.
func TestUserDecidesByHand(t *testing.T) {
	for name, c := range map[string]struct {
		decide func(*fixture)
		want   []string
	}{
		"deleted": {func(f *fixture) { f.tree.DeleteFile("INBOX", f.key("INBOX", "lost")) }, nil},
		"edited": {func(f *fixture) {
			f.edit("INBOX", "lost", "edited")
			f.world.Advance(25 * 60 * 60)
		}, []string{"INBOX/edited:"}},
		"moved": {func(f *fixture) {
			f.tree.MoveFile("INBOX", f.key("INBOX", "lost"), "Archive", sim.MoveOptions{})
		}, []string{"Archive/lost:"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := lostOne(t)
			c.decide(f)
			f.clean()
			f.expect(append(c.want, "INBOX/m000:", "INBOX/m001:", "INBOX/m002:")...)
		})
	}
}

// TestRestoredServerThatLooksUnchanged: the four values of STATUS say nothing of
// the restore. The sample does, a day later at the latest, and before anything
// is removed.
func TestRestoredServerThatLooksUnchanged(t *testing.T) {
	f := full(t, 3)
	backup := f.server.Backup()
	f.deliver("INBOX", "lost")
	f.clean()
	f.server.Restore(backup)
	f.world.Advance(60)
	f.server.Append("INBOX", sim.Message{Date: start + 60, Body: body("other")})
	f.tree.DeleteFile("INBOX", f.key("INBOX", "lost"))
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/other:")
}

// TestNothingIsRemovedInACycleInDoubt: while one mailbox is in doubt, what is
// missing anywhere may be there.
func TestNothingIsRemovedInACycleInDoubt(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "c")
	f.deliver("Archive", "d", "e", "f")
	f.clean()
	f.server.ResetUIDValidity("INBOX")
	f.tree.DeleteFile("Archive", f.key("Archive", "d"))
	f.server.Expunge("Archive", f.uid("Archive", "e"))
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.identify" && s.Subject == "INBOX" {
			return refusal("look at the messages")
		}
		return nil
	})
	remote, local := f.remote(), f.local()
	if report := f.sync(); len(report.Problems) == 0 {
		t.Error("nothing was reported")
	}
	if !slices.Equal(f.remote(), remote) || !slices.Equal(f.local(), local) {
		t.Errorf("the sides have %q and %q, want them as they were", f.remote(), f.local())
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("Archive/f:", "INBOX/a:", "INBOX/b:", "INBOX/c:", "Trash/d:")
}
