package engine_test

import (
	"errors"
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// A tree, a state or a server that was put back is of another time than the others.

// TestMoveIntoAPlaceThatCannotBeSeen: the base is in doubt, and a file was moved to
// where nobody can look at it now. It must not be downloaded once more in its old
// place, and be uploaded from its new one later.
func TestMoveIntoAPlaceThatCannotBeSeen(t *testing.T) {
	for name, hide := range map[string]func(*fixture, state.Key) (show func()){
		"a folder that cannot be scanned": func(f *fixture, _ state.Key) func() {
			f.world.SetFault(func(s sim.Step) error {
				if s.Op == "local.scan" && s.Subject == "Archive" {
					return refusal("scan")
				}
				return nil
			})
			return func() { f.world.SetFault(nil) }
		},
		"a file that cannot be read": func(f *fixture, key state.Key) func() {
			f.tree.SetUnreadable("Archive", key, true)
			return func() { f.tree.SetUnreadable("Archive", key, false) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 4)
			f.clean()
			key := f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{FreshKey: true})
			show := hide(f, key)
			f.store.Doubt()
			if report := f.sync(); len(report.Problems) == 0 || report.Counts.Downloaded > 0 {
				t.Errorf("counts are %+v and problems %+v, want a problem and no download", report.Counts, report.Problems)
			}
			if report := f.sync(); !slices.ContainsFunc(report.Problems, func(p state.Problem) bool { return p.Mailbox == "INBOX" }) {
				t.Errorf("problems are %+v, want one that says why INBOX waits", report.Problems)
			}
			show()
			f.nothingTwice(f.clean(), 0, 0)
			f.expect("Archive/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/m003:")
		})
	}
}

// TestDeletionOfAnotherTime: one of two equal messages lacks its file, and the file
// of the other one has got another name. The missing file says nothing while the
// base is in doubt, and the other is not its new place.
func TestDeletionOfAnotherTime(t *testing.T) {
	f := full(t, 3)
	f.give("Archive", start-1000, body("m000"))
	f.clean()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m000"))
	f.tree.MoveFile("Archive", f.key("Archive", "m000"), "Archive", sim.MoveOptions{FreshKey: true})
	f.store.Doubt()
	f.nothingTwice(f.clean(), 1, 0)
	f.expect("Archive/m000:", "INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestCopyOfAnotherTime: the state that was put back knows one of two equal messages,
// and its file is the one that was moved since, and is settled in its new place. It
// is not the other one's.
func TestCopyOfAnotherTime(t *testing.T) {
	f := full(t, 3)
	f.clean()
	backup := f.store.Backup()
	first := f.key("INBOX", "m000")
	f.give("INBOX", start, body("m000"))
	f.clean()
	f.tree.MoveFile("INBOX", first, "Archive", sim.MoveOptions{})
	f.clean()
	f.store.Restore(backup)
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("Archive/m000:", "INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestMoveInterruptedByDoubt: a file had got another name when the base came into
// doubt, and is moved on before the next run has settled anything.
func TestMoveInterruptedByDoubt(t *testing.T) {
	f := full(t, 3)
	f.clean()
	key := f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "INBOX", sim.MoveOptions{FreshKey: true})
	f.store.Doubt()
	rounds := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.list" && !s.After {
			rounds++
		}
		if rounds > 1 {
			return sim.ErrKilled // once the records have been matched afresh
		}
		return nil
	})
	if _, err := f.run(); !errors.Is(err, sim.ErrKilled) {
		t.Fatalf("the run ended with %v, want it killed", err)
	}
	f.world.SetFault(nil)
	f.world.Restart()
	f.tree.MoveFile("INBOX", key, "Archive", sim.MoveOptions{})
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("Archive/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestRefusedUploadOfAnotherTime: the state that was put back takes a message for
// one that the server has refused. The server took it meanwhile.
func TestRefusedUploadOfAnotherTime(t *testing.T) {
	f := full(t, 3)
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 10 })
	f.put("INBOX", "S", "sent")
	f.sync()
	backup := f.store.Backup()
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 0 })
	f.world.Advance(3 * 60 * 60)
	f.clean()
	f.store.Restore(backup)
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/sent:S")
}

// TestUploadOfAnotherTime: the state that was put back announces uploads that were
// recorded long ago, and a download that came to nothing.
func TestUploadOfAnotherTime(t *testing.T) {
	for _, during := range []string{"remote.append", "local.commit"} {
		t.Run(during, func(t *testing.T) {
			f := full(t, 3)
			f.deliver("INBOX", "new")
			f.put("INBOX", "S", "sent1")
			f.put("INBOX", "", "sent2")
			f.killed(func(s sim.Step) bool { return s.Op == during && !s.After })
			backup := f.store.Backup()
			f.clean()
			f.tree.MoveFile("INBOX", f.key("INBOX", "sent1"), "Archive", sim.MoveOptions{})
			f.clean()
			f.store.Restore(backup)
			f.clean()
			f.clean()
			f.expect("Archive/sent1:S", "INBOX/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/new:", "INBOX/sent2:")
		})
	}
}

// TestFolderHeldInDoubt: a folder that is gone is held as a whole, and putting it
// back is not hindered by the doubt about the base.
func TestFolderHeldInDoubt(t *testing.T) {
	f := full(t, 2)
	f.deliver("Archive", "x", "y")
	f.clean()
	f.tree.RemoveFolder("Archive")
	f.store.Doubt()
	f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
	f.clean()
	f.clean()
	f.expect("Archive/x:", "Archive/y:", "INBOX/m000:", "INBOX/m001:")
}

// TestApprovalReachesNotBackInTime: the removal that was approved could not be
// carried out yet, and the clock was set back, when the server lost one more.
func TestApprovalReachesNotBackInTime(t *testing.T) {
	f := lostOne(t)
	f.store.Decide(hold(t, f.sync()).ID, state.Approved)
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.remove" && !s.After {
			return &state.Error{Scope: state.ScopeMessage, Cause: state.CauseDisk, Doing: "remove a file", Err: errors.New("EIO")}
		}
		return nil
	})
	backup := f.server.Backup()
	f.deliver("INBOX", "new")
	f.sync()
	f.sync()
	f.world.Advance(-10_000)
	f.server.Restore(backup)
	f.server.ResetUIDValidity("INBOX")
	f.sync()
	f.world.SetFault(nil)
	if h := hold(t, f.sync()); h.Lost != 1 || h.Decision != state.Undecided {
		t.Errorf("the hold is %+v, want an open one for the second loss", h)
	}
	if got := f.local(); !slices.Contains(got, "INBOX/new:") || slices.Contains(got, "INBOX/lost:") {
		t.Errorf("the tree has %q, want the message that was lost last, and not the first", got)
	}
}

// TestApprovedAndBack: the server shows a lost message again before its removal was
// carried out.
func TestApprovedAndBack(t *testing.T) {
	for name, c := range map[string]struct {
		mailbox string
		date    int64
	}{
		"as it was": {"INBOX", start - 1000}, "with another date": {"INBOX", start}, "elsewhere": {"Archive", start - 1000},
	} {
		t.Run(name, func(t *testing.T) {
			f := lostOne(t)
			f.store.Decide(hold(t, f.sync()).ID, state.Approved)
			f.give(c.mailbox, c.date, body("lost"))
			f.nothingTwice(f.clean(), 0, 0)
			f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:", c.mailbox+"/lost:")
			if held := f.tree.Held(); len(held) > 0 {
				t.Errorf("the hold area has %q, although the message is there", held)
			}
		})
	}
}

// TestLossIsToldPerMailbox: two mailboxes lost messages at once. What is decided of
// one says nothing about the other.
func TestLossIsToldPerMailbox(t *testing.T) {
	f := full(t, 2)
	f.deliver("Archive", "x")
	f.clean()
	backup := f.server.Backup()
	f.deliver("INBOX", "lost1")
	f.deliver("Archive", "lost2")
	f.clean()
	f.server.Restore(backup)
	report := f.sync()
	// It was one line of the logger for each mailbox, also for those in which nothing was.
	if want := "the server renumbered, replaced or restored 2 mailboxes: 3 messages were found again, 2 not"; len(report.News) != 1 ||
		string(report.News[0]) != want {
		t.Errorf("the news are %q, want %q", report.News, want)
	}
	holds := report.Holds
	if len(holds) != 2 || holds[0].Lost != 1 || holds[1].Lost != 1 {
		t.Fatalf("holds are %+v, want one for each mailbox", holds)
	}
	for _, h := range holds {
		if h.Mailbox == "INBOX" {
			f.store.Decide(h.ID, state.Approved)
		}
	}
	if h := hold(t, f.sync()); h.Mailbox != "Archive" {
		t.Errorf("the hold is %+v, want the one for Archive", h)
	}
	if got, want := f.local(), []string{"Archive/lost2:", "Archive/x:", "INBOX/m000:", "INBOX/m001:"}; !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
}
