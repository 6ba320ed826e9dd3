package remote

import (
	"context"

	"mailmoor/state"
)

// Expunge removes exactly these messages for good. It returns false when the
// server has no UIDPLUS: then they are only marked \Deleted, because EXPUNGE
// and CLOSE would take other people's deleted messages along.
// RFC 4315, section 2.1.
func (c *Conn) Expunge(ctx context.Context, ref state.Ref, uids state.UIDSet) (removed bool, err error) {
	doing := doingUIDs("expunge", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return false, err
	}
	defer stop()
	if err := c.openForChange(ref, doing); err != nil {
		return false, err
	}
	return c.expunge(uids, doing)
}

// expunge works on the open mailbox.
func (c *Conn) expunge(uids state.UIDSet, doing state.Text) (bool, error) {
	for chunk := range perCommand(uids) {
		if err := c.markDeleted(chunk, doing); err != nil {
			return false, err
		}
		if !c.canUIDPlus() {
			continue
		}
		if err := c.client.UIDExpunge(uidsTo(chunk)).Close(); err != nil {
			return false, c.fail(doing, err)
		}
		c.takeNotes()
		c.o.Hook("remote: expunged")
		left, err := c.presentFlags(chunk, doing)
		if err != nil {
			return false, err
		}
		for uid := range left {
			return false, mailboxError(state.CauseRefused, doing,
				"ask the mailbox's owner for the right to expunge",
				"the server did not remove UID %d", uid)
		}
	}
	return c.canUIDPlus(), nil
}
