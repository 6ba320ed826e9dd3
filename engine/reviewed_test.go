package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// What a look at recovery with fresh eyes has brought to light.

// TestRestoredAfterAnInterruptedRun: a run was interrupted after its first records
// and before it had saved the cursor. Then the server is restored from a backup. Its
// UIDNEXT lies below UIDs that have records: it went back, and what is not there is
// lost, not removed by anybody.
func TestRestoredAfterAnInterruptedRun(t *testing.T) {
	for name, begin := range map[string]func(*fixture){
		"download": func(f *fixture) { f.deliver("INBOX", "x", "y") },
		"upload":   func(f *fixture) { f.put("INBOX", "", "x"); f.put("INBOX", "", "y") },
	} {
		for how, end := range map[string]error{"killed": sim.ErrKilled, "line broke": errors.New("connection reset")} {
			t.Run(name+" "+how, func(t *testing.T) {
				f := full(t, 5)
				backup := f.server.Backup()
				begin(f)
				recorded := false
				f.world.SetFault(func(s sim.Step) error {
					recorded = recorded || s.Op == "store.settle" && s.After
					if recorded && (errors.Is(end, sim.ErrKilled) || s.Op == "remote.list") {
						return end
					}
					return nil
				})
				if _, err := f.run(); err == nil {
					t.Fatal("the run was not interrupted")
				}
				f.world.SetFault(nil)
				f.world.Restart()
				f.server.Restore(backup)
				f.world.Advance(plan.ShownWithin + 60)
				f.server.SetFlags("INBOX", 1, state.Flagged) // something else changes in the mailbox
				f.sync()
				if got := f.local(); len(got) != 7 || !slices.Contains(got, "INBOX/x:") {
					t.Errorf("the tree has %q, want all 7", got)
				}
			})
		}
	}
}

// TestRenumberedAndAgreed: a message was moved away and back, so that it has another
// UID in its mailbox, and both sides agree on something else about it.
func TestRenumberedAndAgreed(t *testing.T) {
	for name, change := range map[string]func(*fixture, state.Key, state.UID) (flags string){
		"nothing else": func(*fixture, state.Key, state.UID) string { return "" },
		"local flags": func(f *fixture, k state.Key, _ state.UID) string {
			f.tree.SetLetters("INBOX", k, "S")
			return "S"
		},
		"read on both sides": func(f *fixture, k state.Key, u state.UID) string {
			f.tree.SetLetters("INBOX", k, "S")
			f.server.SetFlags("INBOX", u, state.Seen)
			return "S"
		},
		"the file has another name": func(f *fixture, k state.Key, _ state.UID) string {
			f.tree.MoveFile("INBOX", k, "INBOX", sim.MoveOptions{FreshKey: true})
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 3)
			uid := f.server.Move("INBOX", f.uid("INBOX", "m001"), "INBOX")
			flags := change(f, f.key("INBOX", "m001"), uid)
			f.clean()
			f.clean()
			f.expect("INBOX/m000:", "INBOX/m001:"+flags, "INBOX/m002:")
			records, err := f.store.Records(t.Context(), "INBOX")
			if err != nil || len(records) != 3 || records[2].UID != uid {
				t.Errorf("the records are %+v, %v, want the last one under UID %d", records, err, uid)
			}
		})
	}
}

// TestTrashThatCannotBeSeen: a deletion was interrupted after the copy, and in the next
// run Trash, where the copy is, cannot be listed. It must not be made once more.
func TestTrashThatCannotBeSeen(t *testing.T) {
	for _, op := range []string{"remote.select", "remote.flags", "remote.identify"} {
		t.Run(op, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{NoMove: true})
			f.deliver("INBOX", "a", "b", "c")
			f.clean()
			f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
			f.killed(func(s sim.Step) bool { return s.Op == "remote.copy" && s.After })
			f.world.SetFault(func(s sim.Step) error {
				if s.Op == op && s.Subject == "Trash" && !s.After {
					return refused(state.ScopeMailbox, state.CauseRefused, op)
				}
				return nil
			})
			f.sync()
			f.world.SetFault(nil)
			f.clean()
			f.clean()
			f.expect("INBOX/b:", "INBOX/c:", "Trash/a:")
		})
	}
}

// TestWaitingCostsNoRound: a run that waits for an upload of the one before comes to
// its end as any other.
func TestWaitingCostsNoRound(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b")
	f.clean()
	f.edit("Drafts", "a", "a2")
	f.killed(func(s sim.Step) bool { return s.Op == "remote.append" && !s.After })
	e := f.engine() // at the same time as the run before
	defer e.Close()
	if report, err := e.Sync(t.Context()); err != nil || !report.Quiet || f.waited == 0 {
		t.Errorf("after %d rounds and %s of waiting: quiet %v, %v", report.Rounds, f.waited, report.Quiet, err)
	}
}

// TestFolderThatStaysUnreadable: nobody can say which files have come into being. What
// has been brought by other runs since does not wait for that.
func TestFolderThatStaysUnreadable(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "x", "y")
	f.killed(func(s sim.Step) bool { return s.Op == "remote.fetch" && s.After })
	for i := range 5 {
		f.deliver("INBOX", fmt.Sprintf("n%d", i))
		f.blind()
	}
	if open, err := f.store.Intents(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open intents are %+v, %v", open, err)
	}
}

// TestCopyInTrashWhilePulling: a message whose file is gone has a copy in Trash, made by
// somebody. What may not be removed there stays what it was.
func TestCopyInTrashWhilePulling(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoMove: true})
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	f.opts = func(o *engine.Options) { o.Direction = plan.Pull }
	f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
	f.give("Trash", start-1000, body("a"))
	f.sync()
	records, err := f.store.Records(t.Context(), "INBOX")
	if err != nil || slices.ContainsFunc(records, func(r state.Record) bool { return r.State != state.Paired }) {
		t.Errorf("the records are %+v, %v, want them paired", records, err)
	}
}

// TestTwoIntentsForOneMessage: two runs brought the same message, and neither could
// record it. One file is its own; the other stays, as one that somebody put there.
func TestTwoIntentsForOneMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a")
	f.clean()
	f.deliver("INBOX", "b")
	var intents []state.Intent
	for range 2 {
		intents = append(intents, state.Intent{
			Kind: state.IntentDownload, Mailbox: "INBOX", UIDValidity: f.server.Cursor("INBOX").UIDValidity,
			UID: f.uid("INBOX", "b"), Key: f.put("INBOX", "", "b"), Created: f.world.Now(),
		})
	}
	if err := f.store.Intend(t.Context(), intents); err != nil {
		t.Fatal(err)
	}
	f.clean()
	if open, err := f.store.Intents(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open intents are %+v, %v", open, err)
	}
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/b:")
}
