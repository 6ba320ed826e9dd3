package engine

import (
	"context"
	"fmt"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// sizesMax is how many sizes are in memory at a time.
const sizesMax = 10_000

// largeBytes is from which size on a message is not begun without a look at the room.
const largeBytes = 1 << 20

// fit takes out of the plan what the disk of the tree has no room for, so that a run
// does not fetch what it cannot keep, and says how much is missing before it begins.
// Sizes are asked for only where there could be too little room.
func (e *Engine) fit(ctx context.Context, c *cycle) error {
	messages := 0
	for _, op := range c.plan.Ops {
		if op.Kind == plan.Download {
			messages += op.Count()
		}
	}
	if messages == 0 {
		return nil
	}
	disk, err := e.Local.Room(ctx)
	if err != nil {
		return err
	}
	room := plan.RoomOf(disk, messages)
	if room == nil {
		return nil
	}
	targets := make(map[string]*plan.Mailbox)
	for i := range c.input.Mailboxes {
		targets[c.input.Mailboxes[i].Name] = &c.input.Mailboxes[i]
	}
	for i := range c.plan.Ops {
		op := &c.plan.Ops[i]
		if op.Kind != plan.Download {
			continue
		}
		short := room.Short
		if op.UIDs, err = e.fitting(ctx, room, targets[op.Mailbox], op.UIDs); err != nil {
			return err
		}
		if room.Short > short {
			c.plan.Open = append(c.plan.Open, op.Mailbox)
		}
	}
	c.plan.Ops = slices.DeleteFunc(c.plan.Ops, func(op plan.Op) bool { return op.Kind == plan.Download && len(op.UIDs) == 0 })
	if room.Short > 0 {
		if e.noRoom == nil {
			p := noRoom(room)
			if e.noRoom = &p; e.Tell != nil {
				e.Tell(p)
			}
		}
		c.problems = append(c.problems, *e.noRoom)
	}
	return nil
}

// fitting returns those of a mailbox's messages that there is room for.
func (e *Engine) fitting(ctx context.Context, room *plan.Room, m *plan.Mailbox, uids state.UIDSet) (state.UIDSet, error) {
	var fit state.UIDSet
	for chunk := range uids.Chunks(sizesMax) {
		sizes := make(map[state.UID]int64)
		for _, msg := range m.Remote.New {
			if msg.Identity.Size > 0 && chunk.Contains(msg.UID) {
				sizes[msg.UID] = msg.Identity.Size
			}
		}
		if len(sizes) < chunk.Len() {
			ref := state.Ref{Mailbox: m.Name, UIDValidity: m.Remote.Selected.UIDValidity}
			err := e.pool.with(ctx, func(r Remote) (err error) {
				sizes, err = r.Sizes(ctx, ref, chunk)
				return err
			})
			if err != nil && state.ScopeOf(err) >= state.ScopeAccount {
				return nil, err
			}
			// Otherwise the download will say what is wrong.
		}
		for uid := range room.Take(chunk, sizes).All() {
			fit = fit.Add(uid)
		}
	}
	return fit, nil
}

// checkRoom refuses a large message that the disk has no room for, so that it does not
// stand in the way of smaller ones. The size of the others hardly matters: should the
// disk be full all the same, what came before is kept.
func (d *downloading) checkRoom(ctx context.Context, in state.Incoming) error {
	if in.Size < largeBytes {
		return nil
	}
	disk, err := d.Local.Room(ctx)
	if err != nil || plan.Admits(disk, in.Size) {
		return nil //nolint:nilerr // writing will tell what is wrong
	}
	return &state.Error{
		Scope: state.ScopeMessage, Cause: state.CauseDisk, Doing: state.Textf("keep UID %d of mailbox %q", in.UID, d.target.Name),
		Err: fmt.Errorf("the disk has no room for its %s", megabytes(in.Size)),
	}
}

func megabytes(n int64) state.Text { return state.Textf("%.1f MB", float64(n)/1e6) }

// noRoom says what is not downloaded.
func noRoom(room *plan.Room) state.Problem {
	messages, are := state.Count(room.Short, "message"), state.Text("is")
	if room.Short > 1 {
		are = "are"
	}
	return state.Problem{
		Scope: state.ScopeAccount, Cause: state.CauseDisk,
		Text: state.Textf("%s from the server %s not downloaded, the disk has no room: %s are missing", messages, are, megabytes(room.ShortBytes)),
		Hint: "free some space, or leave some out with mailboxes, max_size or max_age; all that fits is downloaded",
	}
}
