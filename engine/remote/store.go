package remote

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// Store adds and removes flags and returns the flags that the messages now
// have. Flags that the mailbox cannot keep are not sent. Messages that are
// missing from the result no longer exist.
func (c *Conn) Store(ctx context.Context, ref state.Ref, uids state.UIDSet, add, remove state.Flags) (map[state.UID]state.Flags, error) {
	doing := doingUIDs("change flags of", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer stop()
	if add&remove != 0 {
		return nil, mailboxError(state.CauseOther, doing, "", "flags %s are both added and removed", add&remove)
	}
	if err := c.openForChange(ref, doing); err != nil {
		return nil, err
	}
	all := make(map[state.UID]state.Flags, uids.Len())
	for chunk := range perCommand(uids) {
		now, err := c.store(chunk, add, remove, doing)
		if err != nil {
			return nil, err
		}
		for uid, flags := range now {
			all[uid] = flags
		}
	}
	return all, nil
}

// store changes one chunk. The server's echo tells the result; whoever it does
// not mention is asked for, since a server answers OK for vanished messages
// and need not echo what did not change.
func (c *Conn) store(uids state.UIDSet, add, remove state.Flags, doing state.Text) (map[state.UID]state.Flags, error) {
	echo := make(map[state.UID]state.Flags)
	for _, change := range []struct {
		op    imap.StoreFlagsOp
		flags state.Flags
	}{{imap.StoreFlagsAdd, add & c.selected.Permanent}, {imap.StoreFlagsDel, remove & c.selected.Permanent}} {
		if change.flags == 0 {
			continue
		}
		clear(echo) // only the last answer tells the result
		cmd := c.client.Store(uidsTo(uids), &imap.StoreFlags{Op: change.op, Flags: flagsTo(change.flags)}, nil)
		told, err := c.readFlags(cmd, doing)
		if err != nil {
			return nil, c.fail(doing, err)
		}
		if c.takeNotes().ReadOnly {
			return nil, mailboxError(state.CauseReadOnly, doing, "ask the mailbox's owner for the right to do this",
				"the mailbox has become read-only")
		}
		c.o.Hook("remote: stored")
		for _, m := range told.list {
			if uids.Contains(m.uid) {
				echo[m.uid] = m.flags
			}
		}
	}
	silent := without(uids, echo)
	if len(silent) == 0 {
		return echo, nil
	}
	read, err := c.presentFlags(silent, doing)
	if err != nil {
		return nil, err
	}
	for uid, flags := range read {
		echo[uid] = flags
	}
	return echo, nil
}

// markDeleted sets \Deleted on messages that are about to be expunged.
func (c *Conn) markDeleted(uids state.UIDSet, doing state.Text) error {
	if c.selected.Permanent&state.Trashed == 0 {
		return mailboxError(state.CauseReadOnly, doing, "ask the mailbox's owner for the right to delete",
			"the mailbox does not let messages be deleted")
	}
	now, err := c.store(uids, state.Trashed, 0, doing)
	if err != nil {
		return err
	}
	for uid, flags := range now {
		if flags&state.Trashed == 0 {
			return mailboxError(state.CauseRefused, doing, "", "the server did not mark UID %d as deleted", uid)
		}
	}
	return nil
}

// Create creates the mailbox and subscribes to it. One that exists already is
// as good as created.
func (c *Conn) Create(ctx context.Context, mailbox string) error {
	doing := state.Textf("create mailbox %q", mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return err
	}
	defer stop()
	if err := c.client.Create(mailbox, nil).Wait(); err != nil {
		exists, lookErr := c.existsAfter(mailbox, err)
		if lookErr != nil {
			return c.fail(doing, lookErr)
		}
		if !exists {
			refused := c.fail(doing, err)
			if no := (*imap.Error)(nil); errors.As(err, &no) {
				// Whichever connection says so, it gives the same hint.
				if _, err := c.askNamespaces(doing); err != nil {
					return err
				}
				above, err := c.childless(mailbox, doing)
				if err != nil {
					return err
				}
				if above != "" {
					return mailboxError(state.CauseRefused, doing, state.Textf("move the folder, so that it does not lie in the one of %q", above),
						"on this server %q can have no mailboxes below it, as with mbox storage: %w", above, answer{no})
				}
			}
			return c.misplaced(mailbox, refused)
		}
	} else {
		c.o.Hook("remote: created")
	}
	// Subscriptions only decide what other clients show.
	if err := c.client.Subscribe(mailbox).Wait(); err != nil {
		if !isRefusal(err) {
			return c.fail(state.Textf("subscribe to mailbox %q", mailbox), err)
		}
		c.o.Log.Info().Str("mailbox", mailbox).Err(err).Msg("the server does not subscribe to the mailbox")
	}
	c.takeNotes()
	return nil
}

// existsAfter reports whether CREATE was refused because the mailbox is there.
// ALREADYEXISTS says so (RFC 5530, section 3); older servers are asked.
func (c *Conn) existsAfter(mailbox string, createErr error) (bool, error) {
	if !isRefusal(createErr) {
		return false, nil
	}
	if refusalCode(createErr) == "ALREADYEXISTS" {
		return true, nil
	}
	list, err := c.readList(c.client.List("", mailbox, nil), state.Textf("look for mailbox %q", mailbox))
	if err != nil {
		return false, err
	}
	for _, m := range list {
		if m.Name == inboxName(mailbox, m.Delimiter) && !m.NoSelect {
			return true, nil
		}
	}
	return false, nil
}
