package sim

import (
	"context"

	"mailmoor/state"
)

// SetRoom makes the tree's disk one with so much room. At first it does not tell.
func (t *Tree) SetRoom(room state.Room) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.room = room
}

// Room implements engine.LocalDisk.
func (t *Tree) Room(ctx context.Context) (state.Room, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.room, ctx.Err()
}

// Sizes implements engine.RemoteTransfer.
func (c *conn) Sizes(ctx context.Context, ref state.Ref, uids state.UIDSet) (map[state.UID]int64, error) {
	sizes := make(map[state.UID]int64)
	err := c.look(ctx, "remote.sizes", ref, func(m *mailbox) {
		for _, msg := range m.within(uids) {
			sizes[msg.UID] = c.size(msg)
		}
	})
	if err != nil {
		return nil, err
	}
	return sizes, nil
}
