package remote

import (
	"context"
	"maps"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// Move moves messages to the mailbox dest: by UID MOVE (RFC 6851), or else by
// COPY, a check of the copies, and Expunge. It returns the new UID of each
// moved message, 0 where the server does not tell; messages that are missing
// from the result have not been moved.
//
// Without MOVE and UIDPLUS the sources can only be marked \Deleted: removed is
// then false. Such messages count as moved, because their copies exist and must
// not be made again.
func (c *Conn) Move(ctx context.Context, ref state.Ref, uids state.UIDSet, dest string) (map[state.UID]state.UID, bool, error) {
	doing := doingUIDs(state.Textf("move to %q", dest), uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, false, err
	}
	defer stop()
	if err := c.openForChange(ref, doing); err != nil {
		return nil, false, err
	}
	m := &moving{Conn: c, dest: dest, doing: doing}
	moved := make(map[state.UID]state.UID)
	for part := range perCommand(uids) {
		done, err := m.run(part)
		maps.Copy(moved, done)
		if err != nil {
			return moved, c.canMove() || c.canUIDPlus(), err
		}
	}
	return moved, c.canMove() || c.canUIDPlus(), nil
}

// canMove reports whether the server has MOVE, and the library knows it.
func (c *Conn) canMove() bool { return c.caps.Has("MOVE") && c.client.Caps().Has(imap.CapMove) }

// moving is a move out of the open mailbox.
type moving struct {
	*Conn
	dest  string
	doing state.Text
}

func (m *moving) run(uids state.UIDSet) (map[state.UID]state.UID, error) {
	if m.canMove() && m.canUIDPlus() {
		return m.moveTold(uids)
	}
	// The server answers OK for messages that are gone already, so it takes a
	// look to know which ones it really moves.
	sources, err := m.present(uids)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	if m.canMove() {
		return m.move(sources)
	}
	return m.copyAndExpunge(sources)
}

// present returns those of the uids that exist.
func (m *moving) present(uids state.UIDSet) (state.UIDSet, error) {
	flags, err := m.presentFlags(uids, m.doing)
	if err != nil {
		return nil, err
	}
	var there state.UIDSet
	for uid := range uids.All() {
		if _, found := flags[uid]; found {
			there = there.Add(uid)
		}
	}
	return there, nil
}

// moveTold moves messages where the server tells which ones it has moved, and which
// ones go: one round trip. Only when the two do not add up it is asked what is left.
// Which of the others it moved is then not known, nor claimed: both sides show it.
func (m *moving) moveTold(uids state.UIDSet) (map[state.UID]state.UID, error) {
	before := m.expunged.Load()
	moved, told, err := m.send(uids)
	if err != nil {
		return nil, err
	}
	switch gone := m.expunged.Load() - before; {
	case gone >= int64(len(moved)):
		return moved, nil
	case !told:
		return nil, nil
	}
	return moved, m.deleteLeft(moved, uids)
}

// move moves messages that are there, where the server need not tell anything.
func (m *moving) move(sources state.UIDSet) (map[state.UID]state.UID, error) {
	moved, _, err := m.send(sources)
	if err != nil {
		return nil, err
	}
	return moved, m.deleteLeft(moved, sources)
}

// send sends UID MOVE. The library would emulate it when the server has none,
// deleting before the copy is confirmed: the caller has checked.
func (m *moving) send(uids state.UIDSet) (moved map[state.UID]state.UID, told bool, err error) {
	data, err := m.client.Move(uidsTo(uids), m.dest).Wait()
	if err != nil {
		return nil, false, m.fail(m.doing, err)
	}
	m.takeNotes()
	m.o.Hook("remote: moved")
	moved, told = newUIDs(uids, data.SourceUIDs, data.DestUIDs)
	return moved, told, nil
}

// deleteLeft takes those out of moved that are still where they were.
func (m *moving) deleteLeft(moved map[state.UID]state.UID, uids state.UIDSet) error {
	left, err := m.present(uids)
	if err != nil {
		return err
	}
	for uid := range left.All() {
		delete(moved, uid)
	}
	return nil
}

// newUIDs pairs the messages with the UIDs of their copies. When the server did
// not tell them it returns false, and 0 for all.
func newUIDs(sources state.UIDSet, from, to imap.NumSet) (moved map[state.UID]state.UID, told bool) {
	moved = make(map[state.UID]state.UID, sources.Len())
	pairs, told := pairUIDs(from, to, sources.Len())
	for uid := range sources.All() {
		if target, found := pairs[uid]; found || !told {
			moved[uid] = target
		}
	}
	return moved, told
}

// copyAndExpunge moves without MOVE: each step only after the one before is
// confirmed.
func (m *moving) copyAndExpunge(sources state.UIDSet) (map[state.UID]state.UID, error) {
	before, err := m.statusOfDest()
	if err != nil {
		return nil, err
	}
	data, err := m.client.Copy(uidsTo(sources), m.dest).Wait()
	if err != nil {
		return nil, m.fail(m.doing, err)
	}
	m.takeNotes()
	m.o.Hook("remote: copied")
	moved, told := newUIDs(sources, data.SourceUIDs, data.DestUIDs)
	if !told {
		if err := m.checkCopies(before, sources.Len()); err != nil {
			return nil, err
		}
	}
	var copied state.UIDSet
	for uid := range sources.All() {
		if _, done := moved[uid]; done {
			copied = copied.Add(uid)
		}
	}
	if _, err := m.expunge(copied, m.doing); err != nil {
		return nil, err
	}
	return moved, nil
}

func (m *moving) statusOfDest() (state.Cursor, error) {
	data, err := m.client.Status(m.dest, statusItems(false)).Wait()
	if err != nil {
		return state.Cursor{}, m.fail(m.doing, err)
	}
	m.takeNotes()
	return cursorOf(data), nil
}

// checkCopies checks a COPY whose answer did not list the new UIDs: that many
// UIDs must have been given out in the destination since.
func (m *moving) checkCopies(before state.Cursor, count int) error {
	after, err := m.statusOfDest()
	if err != nil {
		return err
	}
	if before.UIDValidity == 0 || after.UIDValidity != before.UIDValidity ||
		uint64(after.UIDNext) < uint64(before.UIDNext)+uint64(count) {
		return mailboxError(state.CauseUnknown, m.doing, "look into the destination: copies may be there already",
			"the copies cannot be found in %q, so nothing was removed", m.dest)
	}
	return nil
}
