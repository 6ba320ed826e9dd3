package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// wholes counts how often each mailbox that was followed before is listed as a whole.
type wholes map[string]int

func (w wholes) watch(f *fixture) {
	f.reconnect(func(r engine.Remote) engine.Remote { return counting{r, w} })
}

type counting struct {
	engine.Remote
	wholes
}

func (c counting) Delta(ctx context.Context, mailbox string, saved state.Cursor, seen state.SeenSet) (state.RemoteDelta, error) {
	if saved.UIDValidity != 0 && saved.ModSeq == 0 {
		c.wholes[mailbox]++
	}
	return c.Remote.Delta(ctx, mailbox, saved, seen)
}

// TestDailyLookAtABusyMailbox: that a sample was compared because new mail had come put
// the look at all flags off by a day, each day again.
func TestDailyLookAtABusyMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	backup := f.server.Backup()
	f.mark("INBOX", "a", "S")
	f.clean()
	f.server.Restore(backup)
	// The mod-sequence gets as far as it was.
	f.server.SetFlags("INBOX", f.uid("INBOX", "b"), state.Flagged)
	f.server.SetFlags("INBOX", f.uid("INBOX", "b"), 0)
	for i := range 4 {
		f.world.Advance(day / 2)
		f.deliver("INBOX", fmt.Sprintf("new%d", i))
		f.clean()
	}
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/new0:", "INBOX/new1:", "INBOX/new2:", "INBOX/new3:")
}

// TestDailyLookBesideAHold: while something is held, its mailbox is listed as a whole
// once a day, and not in each run.
func TestDailyLookBesideAHold(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	for i := range 20 {
		f.deliver("INBOX", fmt.Sprintf("m%d", i))
	}
	f.clean()
	for i := range 20 {
		f.server.Expunge("INBOX", f.uid("INBOX", fmt.Sprintf("m%d", i)))
	}
	hold(t, f.sync())
	seen := wholes{}
	seen.watch(f)
	f.world.Advance(day)
	for range 5 {
		hold(t, f.sync())
	}
	if seen["INBOX"] != 1 {
		t.Errorf("INBOX was listed as a whole %d times, want once", seen["INBOX"])
	}
}

// oneRound runs with a fault, and ends before a second round, which would mend much:
// with the first listing after these.
func (f *fixture) oneRound(listings int, fault sim.Fault) {
	lists := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.list" && !s.After {
			lists++
		}
		if lists > listings {
			return errors.New("the line is cut")
		}
		return fault(s)
	})
	_, _ = f.run()
	f.world.SetFault(nil)
}

// TestDailyLookKeepsADoubt: a mailbox was listed as a whole in the very cycle in which
// what was brought to it showed that the server had been set back. To note the first
// must not undo the second.
func TestDailyLookKeepsADoubt(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	backup := f.server.Backup()
	f.world.Advance(day - 15)
	f.put("INBOX", "", "first")
	f.killAfter("store.settle")
	f.server.Restore(backup)
	f.put("INBOX", "", "next")
	f.oneRound(2, func(sim.Step) error { return nil }) // something is absent: one more listing
	if m := f.known("INBOX"); m.Doubt != state.DoubtUIDs {
		t.Errorf("what is known of INBOX is %+v, want its UIDs in doubt", m)
	}
}

// TestDailyLookKeepsTheGeneration: the same for a new mailbox in which something stays
// open: its generation was noted before its first record.
func TestDailyLookKeepsTheGeneration(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.oneRound(1, func(s sim.Step) error {
		if s.Op == "local.deliver" {
			return refusal(s.Op)
		}
		return nil
	})
	if m := f.known("INBOX"); m.Cursor.UIDValidity == 0 {
		t.Errorf("what is known of INBOX is %+v, without its generation", m)
	}
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:")
}

// single is a server that keeps only one of equal messages: a move to where one is names
// the one that it has.
type single struct {
	engine.Remote
	at   string
	have state.UID
}

func (s single) Move(ctx context.Context, ref state.Ref, uids state.UIDSet, dest string) (map[state.UID]state.UID, bool, error) {
	if dest != s.at {
		return s.Remote.Move(ctx, ref, uids, dest)
	}
	moved := make(map[state.UID]state.UID)
	for uid := range uids.All() {
		moved[uid] = s.have
	}
	_, err := s.Expunge(ctx, ref, uids)
	return moved, true, err
}

// TestMoveToAnEqualMessage: such a server has not been set back.
func TestMoveToAnEqualMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "dup", "a")
	f.deliver("Archive", "dup", "b", "c")
	f.clean()
	have := f.uid("Archive", "dup")
	f.reconnect(func(r engine.Remote) engine.Remote { return single{r, "Archive", have} })
	f.tree.MoveFile("INBOX", f.key("INBOX", "dup"), "Archive", sim.MoveOptions{})
	if report := f.sync(); report.Counts.Rematched > 0 {
		t.Errorf("%d messages were matched afresh", report.Counts.Rematched)
	}
	f.opts = nil
	f.sync()
	if got := f.local(); !slices.Equal(got, []string{"Archive/b:", "Archive/c:", "Archive/dup:", "Archive/dup:", "INBOX/a:"}) {
		t.Errorf("the tree has %q", got)
	}
}

// TestSetBackOnceIsEnough: a mailbox that stays in doubt, because its folder cannot be
// read, is no reason to list all others in each run.
func TestSetBackOnceIsEnough(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a")
	f.deliver("Archive", "b")
	f.clean()
	seen := wholes{}
	seen.watch(f)
	f.server.ResetUIDValidity("Archive")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.scan" && s.Subject == "Archive" {
			return refusal(s.Op)
		}
		return nil
	})
	for range 5 {
		f.sync()
	}
	f.world.SetFault(nil)
	if seen["INBOX"] != 1 {
		t.Errorf("INBOX was listed as a whole %d times, want once", seen["INBOX"])
	}
	f.clean()
	f.expect("Archive/b:", "INBOX/a:")
}
