package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// sameMessage reports whether what the server shows under the record's UID is
// the message that the record is about. Sizes decide only where there is no
// header to compare: some servers round them.
func sameMessage(r state.Record, now state.RemoteMessage) bool {
	was := r.Remote
	if was.Header == (state.Digest{}) {
		was.Header = r.Content.Header
	}
	if was.Header != now.Identity.Header {
		return false
	}
	if was.Date != 0 && now.Identity.Date != 0 && was.Date != now.Identity.Date && was.OtherSize(now.Identity) {
		return false
	}
	return was.Header != state.HeaderDigest(nil) || was.Size == now.Identity.Size ||
		was.Size == 0 && was.Date != 0 && was.Date == now.Identity.Date
}

// verified looks at the messages once more, in the session that is about to
// remove or move them, and returns them as they are now. A message that is not
// the one that the record is about is a sign that the mailbox is not what it
// was: nothing at all is done then. What the server says of a header may be less than
// what is in it, so that only the content proves another message.
func (x *executor) verified(ctx context.Context, r Remote, ref state.Ref, records []state.Record) (map[state.UID]state.RemoteMessage, error) {
	uids := make([]state.UID, len(records))
	for i, rec := range records {
		uids[i] = rec.UID
	}
	messages, err := r.Identify(ctx, ref, state.NewUIDSet(uids...))
	if err != nil {
		return nil, err
	}
	now := make(map[state.UID]state.RemoteMessage, len(messages))
	for _, m := range messages {
		now[m.UID] = m
	}
	for _, rec := range records {
		m, there := now[rec.UID]
		if !there || sameMessage(rec, m) {
			continue
		}
		same, there, err := sameContent(ctx, r, ref, rec)
		switch {
		case err != nil:
			return nil, err
		case !there:
			delete(now, rec.UID)
		case !same:
			return nil, &state.Error{
				Scope: state.ScopeMailbox, Cause: state.CauseGeneration,
				Doing: state.Textf("check UID %d in mailbox %q before changing it", rec.UID, ref.Mailbox),
				Hint:  "the server may have been restored from a backup; nothing was removed or moved there",
				Err:   fmt.Errorf("another message stands under this UID now"),
			}
		}
	}
	return now, nil
}

// stillThere returns the operations whose message is unchanged since it was
// planned for. The others are left to the next cycle.
func (x *executor) stillThere(ctx context.Context, r Remote, b batch, stored func(plan.Op) bool) ([]plan.Op, error) {
	records := make([]state.Record, len(b.ops))
	for i, op := range b.ops {
		records[i] = op.Base
	}
	now, err := x.verified(ctx, r, b.target.ref(), records)
	if err != nil {
		return nil, err
	}
	shared := b.target.Shared()
	var ops []plan.Op
	for _, op := range b.ops {
		m, there := now[op.Base.UID]
		// Flags that the mailbox does not keep say nothing, and what somebody
		// does to a superseded version no longer matters.
		was, is := (op.Remote.Flags|op.WantRemote)&shared, m.Flags&shared
		tagged := b.target.Stores().Of(m.Keywords).Without(op.Remote.Keywords.Union(op.Tags.Local))
		changed := there && b.kind != plan.Retire && (state.Significant(was, is) || tagged != "")
		if !there || changed || !stored(op) {
			b.target.leaveOpen()
			continue
		}
		op.Remote.Identity.Header = m.Identity.Header // the server's own words, by which it is known again
		ops = append(ops, op)
	}
	return ops, nil
}

// removeLocal moves files to the hold area, unless there is more in the mailbox than was
// observed: then their messages may be back, and the next round looks first.
func (x *executor) removeLocal(ctx context.Context, conn *lease, b batch) error {
	if grown, err := x.grew(ctx, conn, b.target); grown || err != nil {
		return err
	}
	for ops := range slices.Chunk(b.ops, heldMax) {
		s, err := x.holdFiles(ctx, b.target, ops)
		if err := errors.Join(err, x.settle(ctx, s)); err != nil {
			return err
		}
		x.did(plan.RemoveLocal, "", s.Drop...)
		x.add(func(c *Counts) { c.RemovedLocal += len(s.Held) })
	}
	return nil
}

// heldMax is how many files go to the hold area before they are listed there: one that is
// not yet listed when the run is killed is found by nobody but its owner.
const heldMax = 64

// holdFiles moves files to the hold area, and returns what is to be recorded of those that
// went, also when it ends with an error.
func (x *executor) holdFiles(ctx context.Context, t *target, ops []plan.Op) (state.Settlement, error) {
	var s state.Settlement
	for _, op := range ops {
		from := op.Base
		from.Key, from.Stat, from.Flags = op.Local.Key, op.Local.Stat, op.Local.Flags
		held, err := x.Local.Remove(ctx, op.Folder, from, op.Why)
		switch {
		case err == nil:
		case state.ScopeOf(err) > state.ScopeMessage:
			return s, err
		default:
			t.leaveOpen()
			x.reportUnlessStale(t, op, err)
			continue
		}
		held.Mailbox, held.UID, held.Reason, held.Removed = t.Name, op.Base.UID, op.Why, x.now()
		held.Date, held.Keywords = op.Base.Remote.Date, op.Tags.Local
		s.Drop, s.Held = append(s.Drop, op.Base), append(s.Held, held)
	}
	return s, nil
}

// removeRemote moves messages to Trash.
func (x *executor) removeRemote(ctx context.Context, r Remote, b batch) error {
	if b.ops[0].Final {
		return x.removeForGood(ctx, r, b)
	}
	if dest := x.targets[b.ops[0].Dest]; dest != nil && dest.NewMailbox && !dest.created {
		b.target.leaveOpen() // Trash could not be made: said already
		return nil
	}
	ops, err := x.stillThere(ctx, r, b, always)
	if err != nil || len(ops) == 0 {
		return err
	}
	moved, removed, err := x.move(ctx, r, b.target, remoteUIDs(ops), b.ops[0].Dest)
	if err != nil && state.ScopeOf(err) >= state.ScopeAccount {
		return err
	}
	var s state.Settlement
	for _, op := range ops {
		if _, ok := moved[op.Base.UID]; !ok {
			b.target.leaveOpen()
			continue
		}
		s.Drop = append(s.Drop, op.Base)
		if removed {
			s.Buried = append(s.Buried, x.tombstone(b.target, op))
		} else {
			s.Put = append(s.Put, marked(op.Base))
		}
	}
	if settleErr := x.settle(ctx, s); settleErr != nil {
		return settleErr
	}
	x.did(plan.RemoveRemote, b.ops[0].Dest, s.Drop...)
	x.add(func(c *Counts) { c.RemovedRemote += len(s.Drop) })
	return err
}

// always is for operations that no flag change precedes.
func always(plan.Op) bool { return true }

// removeForGood expunges messages: those for which there is no Trash, and the
// superseded versions of edited ones. Outside Trash, where they would otherwise
// be gone without a trace, the bodies are kept in the hold area.
func (x *executor) removeForGood(ctx context.Context, r Remote, b batch) error {
	ops, err := x.stillThere(ctx, r, b, always)
	if err != nil {
		return err
	}
	if b.kind == plan.Retire || !b.target.Discards() {
		if ops, err = x.keepBodies(ctx, r, b.target, ops); err != nil {
			return err
		}
	}
	if len(ops) == 0 {
		return nil
	}
	removed, err := r.Expunge(ctx, b.target.ref(), remoteUIDs(ops))
	if err != nil {
		return err
	}
	var s state.Settlement
	for _, op := range ops {
		if removed {
			s.Drop = append(s.Drop, op.Base)
			s.Buried = append(s.Buried, x.tombstone(b.target, op))
			continue
		}
		s.Put = append(s.Put, marked(op.Base))
	}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	if b.kind != plan.Retire {
		for _, op := range ops {
			x.did(plan.RemoveRemote, "", op.Base)
		}
		x.add(func(c *Counts) { c.RemovedRemote += len(ops); c.RemovedForGood += len(ops) })
	}
	return nil
}

// tombstone is the memory of a message that has just been removed.
func (x *executor) tombstone(t *target, op plan.Op) state.Tombstone {
	return state.Tombstone{
		Mailbox: t.Name, UIDValidity: t.ref().UIDValidity, UID: op.Base.UID, Remote: op.Remote.Identity,
		Tries: op.Tries + 1, Removed: x.now(),
	}
}

// marked is the record of a message that we removed and that stays in its
// mailbox, marked \Deleted, until somebody expunges it.
func marked(r state.Record) state.Record {
	r.State, r.Key, r.Since = state.Expunging, "", 0
	r.Flags |= state.Trashed
	return r
}

// deniesBody reports whether the server answered that it does not give the only body that it was
// asked for, on a connection that works.
func deniesBody(err error) bool {
	cause := state.CauseOf(err)
	return state.ScopeOf(err) == state.ScopeMailbox &&
		(cause == state.CauseRefused || cause == state.CauseNetwork || cause == state.CauseOther)
}

// keepBodies fetches the messages into the hold area and returns the operations
// of those that are there now. They are listed there before anything is removed,
// so that no copy lies there unknown when the removal is refused.
func (x *executor) keepBodies(ctx context.Context, r Remote, t *target, ops []plan.Op) ([]plan.Op, error) {
	var kept []plan.Op
	for _, op := range ops {
		var s state.Settlement
		err := r.Fetch(ctx, t.ref(), state.NewUIDSet(op.Base.UID), func(in state.Incoming) error {
			held, err := x.Local.Keep(ctx, state.Held{
				Mailbox: t.Name, Key: x.Local.NewKey(), UID: op.Base.UID, Flags: op.Base.Flags, Keywords: op.Base.AllKeywords(),
				Content: op.Base.Content, Date: op.Base.Remote.Date, Removed: x.now(), Reason: op.Why,
			}, in)
			if err == nil {
				s.Held = append(s.Held, held)
			}
			return err
		})
		if err != nil && state.ScopeOf(err) > state.ScopeMessage && !deniesBody(err) {
			return nil, err
		}
		if err != nil || len(s.Held) == 0 {
			// It cannot be fetched, or is gone: nothing is removed unseen.
			t.leaveOpen()
			if err != nil {
				p := state.ProblemOf(t.Name, fmt.Sprintf("UID %d", op.Base.UID), err)
				p.Scope, p.Weight = state.ScopeMessage, state.WeightLasting
				p.Hint = "it is not removed unseen, and stays there; other programs may be able to repair it on the server"
				x.problem(p)
			}
			continue
		}
		if err := x.settle(ctx, s); err != nil {
			return nil, err
		}
		kept = append(kept, op)
	}
	return kept, nil
}
