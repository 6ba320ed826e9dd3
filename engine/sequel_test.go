package engine_test

import (
	"context"
	"errors"
	"testing"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// loseAppend runs once with a line that breaks before the first upload reaches
// the server.
func (f *fixture) loseAppend() {
	f.t.Helper()
	f.world.SetFault(firstTime(func(s sim.Step) bool { return s.Op == "remote.append" && !s.After }, errors.New("connection reset")))
	f.clean()
	f.world.SetFault(nil)
}

// TestLateTwin: an upload whose answer was lost was given up and repeated, and
// then arrives all the same. One of the two goes, and a copy of it is kept.
func TestLateTwin(t *testing.T) {
	f := full(t, 2)
	f.put("INBOX", "S", "sent")
	f.loseAppend()
	if given, err := f.store.GivenUp(t.Context()); err != nil || len(given) != 1 {
		t.Fatalf("given up are %+v, %v, want the first attempt", given, err)
	}
	f.server.Append("INBOX", sim.Message{Date: start, Flags: state.Seen, Body: body("sent")})
	if c := f.clean().Counts; c.Downloaded != 0 {
		t.Errorf("counts are %+v, want no download", c)
	}
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/sent:S")
	if held := f.tree.Held(); len(held) != 1 {
		t.Errorf("the hold area has %q, want the second copy", held)
	}
	// Only once: another equal message is somebody's own.
	f.server.Append("INBOX", sim.Message{Date: start, Body: body("sent")})
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/sent:S", "INBOX/sent:")
}

// TestTwoAttemptsArriveLate: two attempts at an upload were given up, and both
// arrive after all, before the third. One of them is the file's.
func TestTwoAttemptsArriveLate(t *testing.T) {
	f := full(t, 2)
	f.put("INBOX", "S", "sent")
	for range 2 {
		f.killed(func(s sim.Step) bool { return s.Op == "remote.append" && !s.After })
	}
	// The third run learns that the second attempt has failed, too, and ends there.
	f.killed(func(s sim.Step) bool { return s.Op == "store.intend" && !s.After })
	if given, err := f.store.GivenUp(t.Context()); err != nil || len(given) != 2 {
		t.Fatalf("given up are %+v, %v, want both attempts", given, err)
	}
	for range 2 {
		f.server.Append("INBOX", sim.Message{Date: start, Flags: state.Seen, Body: body("sent")})
	}
	if c := f.clean().Counts; c.Downloaded+c.Uploaded != 0 || c.Paired != 1 {
		t.Errorf("counts are %+v, want one pair and no transfer", c)
	}
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/sent:S")
	if held := f.tree.Held(); len(held) != 1 {
		t.Errorf("the hold area has %q, want the second copy", held)
	}
}

// TestCopiedToTrashAndInterruptedAgain: a deletion is a copy and a removal where the
// server has no MOVE. The line broke after the copy, and the next run ended when it
// had downloaded the copy. It must not be made once more.
func TestCopiedToTrashAndInterruptedAgain(t *testing.T) {
	for name, o := range map[string]sim.ServerOptions{"UIDPLUS": {NoMove: true}, "no UIDPLUS": {NoMove: true, NoUIDPlus: true}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, o)
			f.deliver("INBOX", "a", "b", "c")
			f.clean()
			f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
			f.killed(func(s sim.Step) bool { return s.Op == "remote.copy" && s.After })
			delivered := false
			f.killed(func(s sim.Step) bool {
				delivered = delivered || s.Op == "local.commit"
				return delivered && s.Op == "store.settle" && s.After
			})
			f.clean()
			f.clean()
			f.expect("INBOX/b:", "INBOX/c:", "Trash/a:")
		})
	}
}

// TestLateArrivalOfARefusedUpload: the server accepted a message and did not show
// it for a while. When it does it is the file's, not another one.
func TestLateArrivalOfARefusedUpload(t *testing.T) {
	f := full(t, 2)
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 10 })
	f.put("INBOX", "", "late")
	f.sync()
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 0 })
	f.server.Append("INBOX", sim.Message{Date: start, Body: body("late")})
	if c := f.clean().Counts; c.Paired != 1 || c.Downloaded+c.Uploaded != 0 {
		t.Errorf("counts are %+v, want one pair and no transfer", c)
	}
	f.world.Advance(2 * 60 * 60)
	f.expect("INBOX/late:", "INBOX/m000:", "INBOX/m001:")
}

// stubborn says that it has moved messages, and has not.
type stubborn struct {
	engine.Remote
	moves *int
}

func (r stubborn) Move(_ context.Context, _ state.Ref, uids state.UIDSet, _ string) (map[state.UID]state.UID, bool, error) {
	*r.moves++
	moved := make(map[state.UID]state.UID)
	for _, u := range uids {
		for uid := u.First; uid <= u.Last; uid++ {
			moved[uid] = uid + 1000
		}
	}
	return moved, true, nil
}

// TestRemovalThatDidNotHappen: the server says that a message is gone, and still
// shows it. The removal is repeated a few times; then the message counts as new.
func TestRemovalThatDidNotHappen(t *testing.T) {
	f := full(t, 3)
	moves := 0
	f.reconnect(func(r engine.Remote) engine.Remote { return stubborn{r, &moves} })
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m001"))
	for range 4 {
		f.sync()
	}
	if moves != plan.TriesMax {
		t.Errorf("the message was moved %d times, want %d", moves, plan.TriesMax)
	}
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
	if left, err := f.store.Tombstones(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("removals still remembered are %+v, %v", left, err)
	}
}

// TestRestoredMessageIsNotRemovedAgain: a message that was gone and comes back
// under its old UID was put there by somebody.
func TestRestoredMessageIsNotRemovedAgain(t *testing.T) {
	f := full(t, 3)
	backup := f.server.Backup()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "m001"))
	f.clean()
	f.clean()
	f.server.Restore(backup)
	f.clean()
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}
