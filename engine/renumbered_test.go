package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// give adds one message with a date and a body of its own.
func (f *fixture) give(mailbox string, date int64, body []byte) {
	f.server.Append(mailbox, sim.Message{Date: date, Body: body})
}

// rounding is a server that tells sizes in KiB.
type rounding struct{ engine.Remote }

func (r rounding) Identify(ctx context.Context, ref state.Ref, uids state.UIDSet) ([]state.RemoteMessage, error) {
	messages, err := r.Remote.Identify(ctx, ref, uids)
	for i := range messages {
		messages[i].Identity.Size = (messages[i].Identity.Size + 1023) / 1024 * 1024
	}
	return messages, err
}

// TestEveryServerMayRenumber: whatever a server does to messages, and however alike
// they are, nothing is transferred because they got other UIDs, and no flag
// changes its owner.
func TestEveryServerMayRenumber(t *testing.T) {
	for name, c := range map[string]struct {
		options sim.ServerOptions
		prepare func(*fixture)
	}{
		"without a header": {sim.ServerOptions{}, func(f *fixture) {
			for i, text := range []string{"1", "1", "2", "3", "", "", "5"} {
				f.give("INBOX", start+int64(i%2), []byte("\r\n"+text+"\r\n"))
			}
		}},
		"equal but for their flags": {sim.ServerOptions{}, func(f *fixture) {
			for _, flags := range []state.Flags{0, state.Flagged, 0, state.Seen} {
				f.server.Append("INBOX", sim.Message{Date: start, Flags: flags, Body: body("a")})
			}
		}},
		"sizes are rounded": {sim.ServerOptions{}, func(f *fixture) {
			f.reconnect(func(r engine.Remote) engine.Remote { return rounding{r} })
			f.deliver("INBOX", "a", "b", "c")
			f.give("INBOX", start, []byte("\r\n1\r\n"))
			f.give("INBOX", start, []byte("\r\n2\r\n"))
			f.tree.AddFolder("INBOX")
			f.put("INBOX", "S", "d")
		}},
		"uploads are rewritten": {sim.ServerOptions{}, uploadToStamper},
		"uploads are rewritten, no UIDPLUS": {
			sim.ServerOptions{NoUIDPlus: true}, uploadToStamper,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, c.options)
			c.prepare(f)
			f.clean()
			f.clean()
			before := f.remote()
			f.server.ResetUIDValidity("INBOX")
			report := f.clean()
			f.nothingTwice(report, 0, 0)
			if n := report.Counts.FlagsLocal + report.Counts.FlagsRemote; n > 0 {
				t.Errorf("%d messages changed their flags", n)
			}
			f.expect(before...)
		})
	}
}

// uploadToStamper fills INBOX through a server that adds a field to each upload.
// Two of the messages are equal.
func uploadToStamper(f *fixture) {
	f.through(stamped)
	f.tree.AddFolder("INBOX")
	for i := range 4 {
		f.put("INBOX", "", fmt.Sprint("m", i/2*i))
	}
}

// TestHoldOutlastsRenumbering: the user has not yet said, or has said, that what is
// missing here must stay there. When the server renumbers the mailbox the removal
// looks plausible, because new mail has come meanwhile.
func TestHoldOutlastsRenumbering(t *testing.T) {
	for _, decision := range []state.Decision{state.Undecided, state.Approved, state.Rejected} {
		t.Run(fmt.Sprint(decision), func(t *testing.T) {
			f := full(t, 3)
			f.tree.EmptyFolder("INBOX")
			h := hold(t, f.sync())
			f.deliver("INBOX", "next")
			f.sync()
			f.store.Decide(h.ID, decision)
			f.server.ResetUIDValidity("INBOX")
			f.deliver("INBOX", "other")
			for range 3 {
				h = hold(t, f.sync())
				if h.Decision != state.Undecided || h.UIDs.Len() != 3 || h.Missing != state.Local {
					t.Fatalf("the hold is %+v, want an open one for three files", h)
				}
			}
			f.store.Decide(h.ID, state.Rejected)
			f.clean()
			f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/next:", "INBOX/other:")
		})
	}
}

// TestHoldOutlastsARunForAnotherMailbox: a run that was asked for another mailbox
// does not match this one afresh, however often; and its hold stays.
func TestHoldOutlastsARunForAnotherMailbox(t *testing.T) {
	f := full(t, 3)
	f.tree.EmptyFolder("INBOX")
	hold(t, f.sync())
	f.deliver("INBOX", "next")
	f.sync()
	f.server.ResetUIDValidity("INBOX")
	f.opts = func(o *engine.Options) { o.Asked = func(mailbox string) bool { return mailbox == "Archive" } }
	f.deliver("Archive", "x")
	for range 3 {
		if report := f.sync(); report.Counts.Rematched != 0 || len(report.Holds) != 1 {
			t.Errorf("counts are %+v and holds %+v, want nothing done and one hold", report.Counts, report.Holds)
		}
	}
	f.opts = nil
	for range 2 {
		if h := hold(t, f.sync()); h.UIDs.Len() != 3 {
			t.Errorf("the hold is %+v, want one for three files", h)
		}
	}
	if got := f.remote(); len(got) != 5 || got[0] != "Archive/x:" || got[1] != "INBOX/m000:" {
		t.Errorf("the server has %q, want all that it had", got)
	}
}

// TestMovedApartWhileRenumbered: the server's place counts, as at any other time,
// and the message is not there twice.
func TestMovedApartWhileRenumbered(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Other", state.RoleNone)
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
	f.server.Move("INBOX", f.uid("INBOX", "a"), "Other")
	f.server.ResetUIDValidity("INBOX")
	f.nothingTwice(f.clean(), 0, 0)
	f.clean()
	f.expect("INBOX/b:", "INBOX/c:", "Other/a:")
}

// TestSwappedMailboxes: two mailboxes were given each other's name. Each has got
// other messages, and all of them are still there.
func TestSwappedMailboxes(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("A", state.RoleNone)
	f.server.CreateMailbox("B", state.RoleNone)
	f.deliver("A", "a1", "a2", "a3")
	f.deliver("B", "b1", "b2")
	f.clean()
	f.server.RenameMailbox("A", "C")
	f.server.RenameMailbox("B", "A")
	f.server.RenameMailbox("C", "B")
	f.nothingTwice(f.clean(), 0, 0)
	f.clean()
	f.expect("A/b1:", "A/b2:", "B/a1:", "B/a2:", "B/a3:")
}

// TestRenumberedListingThatNeverHoldsStill: without a complete listing nothing
// counts as lost, and the next run tries again.
func TestRenumberedListingThatNeverHoldsStill(t *testing.T) {
	f := full(t, 4)
	f.server.ResetUIDValidity("INBOX")
	arrived := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.flags" && s.Subject == "INBOX" && !s.After {
			arrived++
			f.give("INBOX", start, body(fmt.Sprint("n", arrived)))
		}
		return nil
	})
	report := f.sync()
	if arrived == 0 || len(report.Problems) != 1 || report.Problems[0].Cause != state.CauseGeneration || len(report.Holds) > 0 {
		t.Errorf("problems are %+v and holds %+v, want one problem", report.Problems, report.Holds)
	}
	f.world.SetFault(nil)
	f.nothingTwice(f.clean(), arrived, 0)
}

// TestPreviewOfAMailboxInDoubt: a dry run shows what would be found again, and
// writes nothing, not even that there is a doubt.
func TestPreviewOfAMailboxInDoubt(t *testing.T) {
	f := full(t, 4)
	f.give("INBOX", start, []byte("\r\nno header\r\n"))
	f.clean()
	f.server.ResetUIDValidity("INBOX")
	before := f.store.Commits()
	ops := f.preview(true).Plan.Ops
	if len(ops) != 1 || ops[0].Count() != 5 || !strings.Contains(ops[0].Rematching.String(), "5 messages") {
		t.Errorf("the plan is %+v, want five messages found again", ops)
	}
	if f.store.Commits() != before {
		t.Error("a preview wrote to the store")
	}
	f.nothingTwice(f.clean(), 0, 0)
}

// TestOlderVersionOfADraftInDoubt: the new version had been recorded, and the old
// one not yet retired, when the server renumbered the mailbox.
func TestOlderVersionOfADraftInDoubt(t *testing.T) {
	f := drafts(t, 4)
	f.edit("Drafts", "m000", "edited")
	f.killed(func(s sim.Step) bool { return s.Op == "store.settle" && s.After })
	f.server.ResetUIDValidity("Drafts")
	f.nothingTwice(f.clean(), 0, 0)
	f.expect("Drafts/edited:", "Drafts/m001:", "Drafts/m002:", "Drafts/m003:")
	if held := f.tree.Held(); len(held) != 1 {
		t.Errorf("the hold area has %q, want the old version", held)
	}
}

// TestDownloadThatNamesAnotherMessage: a download was interrupted after its files
// had come into being. Then the server was set back, and gave the UIDs of the
// messages to others.
func TestDownloadThatNamesAnotherMessage(t *testing.T) {
	f := full(t, 2)
	backup := f.server.Backup()
	f.deliver("INBOX", "a", "b")
	f.killed(func(s sim.Step) bool { return s.Op == "local.commit" && s.After })
	arrived := f.local()
	f.server.Restore(backup)
	f.give("INBOX", start+5, body("other1"))
	f.give("INBOX", start+6, body("other2"))
	for range 3 {
		report := f.sync()
		if h := hold(t, report); h.Lost != len(arrived)-2 {
			t.Errorf("the hold is %+v, want one for what had arrived of %q", h, arrived)
		}
	}
	want := append(arrived, "INBOX/other1:", "INBOX/other2:")
	if got := f.local(); !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
	if got, want := f.remote(), []string{"INBOX/m000:", "INBOX/m001:", "INBOX/other1:", "INBOX/other2:"}; !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
}

// TestRenumberedAtTheOtherEnd: the mailbox that a message was moved to is renumbered
// while its file follows. That says nothing of the mailbox that it came from.
func TestRenumberedAtTheOtherEnd(t *testing.T) {
	f := full(t, 3)
	f.deliver("Archive", "x")
	f.clean()
	f.server.Move("INBOX", f.uid("INBOX", "m000"), "Archive")
	f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
	followed := false
	f.world.SetFault(func(s sim.Step) error {
		switch {
		case s.Op == "local.move" && s.After:
			f.server.ResetUIDValidity("Archive")
			followed = true
		case followed && s.Op == "remote.list":
			return sim.ErrKilled
		}
		return nil
	})
	if _, err := f.run(); !errors.Is(err, sim.ErrKilled) {
		t.Fatalf("the run ended with %v, want it killed after the first round", err)
	}
	f.world.SetFault(nil)
	f.world.Restart()
	if inbox, archive := f.known("INBOX").Doubt, f.known("Archive").Doubt; inbox != state.Believed || archive != state.DoubtUIDs {
		t.Errorf("doubts are %v about INBOX and %v about Archive, want one about Archive alone", inbox, archive)
	}
	f.clean()
	f.clean()
	f.expect("Archive/m000:F", "Archive/x:", "INBOX/m001:", "INBOX/m002:")
}
