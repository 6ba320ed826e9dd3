package engine

import (
	"context"
	"fmt"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// keepBytesMax is the largest message whose body is fetched into the hold area
// before it is removed from the server for good.
const keepBytesMax = 64 << 20

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
	if was.Date != 0 && now.Identity.Date != 0 && was.Date != now.Identity.Date && was.Size != now.Identity.Size {
		return false
	}
	return was.Header != state.HeaderDigest(nil) || was.Size == now.Identity.Size
}

// verified looks at the messages once more, in the session that is about to
// remove or move them, and returns them as they are now. A message that is not
// the one that the record is about is a sign that the mailbox is not what it
// was: nothing at all is done then.
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
		if m, there := now[rec.UID]; there && !sameMessage(rec, m) {
			return nil, &state.Error{
				Scope: state.ScopeMailbox, Cause: state.CauseGeneration,
				Doing: fmt.Sprintf("check UID %d in mailbox %q before changing it", rec.UID, ref.Mailbox),
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
	var ops []plan.Op
	for _, op := range b.ops {
		m, there := now[op.Base.UID]
		// What somebody does to a superseded version no longer matters.
		changed := there && op.Base.State == state.Paired && state.Significant(op.Remote.Flags|op.WantRemote, m.Flags)
		if !there || changed || !stored(op) {
			b.target.leaveOpen()
			continue
		}
		ops = append(ops, op)
	}
	return ops, nil
}

// removeLocal moves files to the hold area.
func (x *executor) removeLocal(ctx context.Context, b batch) error {
	for _, op := range b.ops {
		from := op.Base
		from.Key, from.Stat, from.Flags = op.Local.Key, op.Local.Stat, op.Local.Flags
		held, err := x.Local.Remove(ctx, b.target.Folder, from, op.Why)
		switch {
		case err == nil:
		case state.ScopeOf(err) > state.ScopeMessage:
			return err
		default:
			b.target.leaveOpen()
			x.reportUnlessStale(b.target, op, err)
			continue
		}
		held.Mailbox, held.UID, held.Reason, held.Removed = b.target.Name, op.Base.UID, op.Why, x.now()
		held.Date = op.Base.Remote.Date
		if err := x.settle(ctx, state.Settlement{Drop: []state.Record{op.Base}, Held: []state.Held{held}}); err != nil {
			return err
		}
		x.add(func(c *Counts) { c.RemovedLocal++ })
	}
	return nil
}

// removeRemote moves messages to Trash, or removes them for good.
func (x *executor) removeRemote(ctx context.Context, r Remote, b batch) error {
	ops, err := x.stillThere(ctx, r, b, func(plan.Op) bool { return true })
	if err != nil || len(ops) == 0 {
		return err
	}
	if ops[0].Final {
		return x.expunge(ctx, r, b.target, ops)
	}
	moved, removed, err := r.Move(ctx, b.target.ref(), remoteUIDs(ops), ops[0].Dest)
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
		if !removed {
			s.Put = append(s.Put, marked(op.Base))
		}
	}
	if settleErr := x.settle(ctx, s); settleErr != nil {
		return settleErr
	}
	x.add(func(c *Counts) { c.RemovedRemote += len(s.Drop) })
	return err
}

// expunge removes messages for good. Outside Trash, where they would otherwise
// be gone without a trace, the bodies are kept in the hold area.
func (x *executor) expunge(ctx context.Context, r Remote, t *target, ops []plan.Op) error {
	var s state.Settlement
	if t.Role != state.RoleTrash {
		for _, op := range ops {
			held, err := x.keepBody(ctx, r, t.ref(), op.Base, op.Why)
			if err != nil {
				return err
			}
			s.Held = append(s.Held, held...)
		}
	}
	removed, err := r.Expunge(ctx, t.ref(), remoteUIDs(ops))
	if err != nil {
		return err
	}
	for _, op := range ops {
		if removed {
			s.Drop = append(s.Drop, op.Base)
			continue
		}
		s.Put = append(s.Put, marked(op.Base))
	}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	x.add(func(c *Counts) { c.RemovedRemote += len(ops) })
	return nil
}

// marked is the record of a message that we removed and that stays in its
// mailbox, marked \Deleted, until somebody expunges it.
func marked(r state.Record) state.Record {
	r.State, r.Key = state.Expunging, ""
	r.Flags |= state.Trashed
	return r
}

// keepBody fetches the body of a message into the hold area. A message above
// keepBytesMax is not kept.
func (x *executor) keepBody(ctx context.Context, r Remote, ref state.Ref, rec state.Record, why string) ([]state.Held, error) {
	if rec.Content.WireSize > keepBytesMax {
		return nil, nil
	}
	var kept []state.Held
	err := r.Fetch(ctx, ref, state.NewUIDSet(rec.UID), func(in state.Incoming) error {
		held, err := x.Local.Keep(ctx, state.Held{
			Mailbox: ref.Mailbox, Key: x.Local.NewKey(), UID: rec.UID, Flags: rec.Flags, Content: rec.Content,
			Date: rec.Remote.Date, Removed: x.now(), Reason: why,
		}, in)
		if err == nil {
			kept = append(kept, held)
		}
		return err
	})
	return kept, err
}
