package remote

import (
	"context"
	"errors"
	"slices"

	"github.com/emersion/go-imap/v2"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
)

// selection is an open mailbox. The zero value means that none is.
type selection struct {
	mailbox string
	state.Selected
	// storable are the flags whose absence on the server means something: the
	// permanent ones, or in a read-only mailbox all that it knows, since there
	// we never add one of our own.
	storable storable
}

// selectFresh opens the mailbox, even when it is open already: what a server
// shows of a mailbox that was opened earlier may be old.
func (c *Conn) selectFresh(mailbox string) error {
	doing := state.Textf("open mailbox %q", mailbox)
	c.takeNotes()
	// Whatever comes of it, the mailbox before is not open any more.
	// RFC 9051, section 6.3.2.
	c.selected = selection{}
	data, err := c.client.Select(mailbox, &imap.SelectOptions{CondStore: c.canCondStore()}).Wait()
	if err != nil {
		err = c.fail(doing, err)
		var e *state.Error
		if errors.As(err, &e) && e.Cause == state.CauseReadOnly {
			e.Cause = state.CauseRefused // it cannot even be read
		}
		return err
	}
	said := c.takeNotes()
	s := selectionOf(mailbox, data, said)
	switch {
	case s.UIDValidity == 0:
		return mailboxError(state.CauseOther, doing,
			"this mailbox cannot be kept in step: leave it out with the mailboxes setting",
			"the server gives no stable UIDs: UIDVALIDITY is missing, 0 or no number")
	case said.UIDNotSticky:
		// RFC 4315, section 2.
		return mailboxError(state.CauseOther, doing,
			"this mailbox cannot be kept in step: leave it out with the mailboxes setting",
			"the server gives no stable UIDs: it says UIDNOTSTICKY")
	}
	c.selected = s
	c.generations[mailbox] = s.UIDValidity
	return nil
}

// selectionOf reads the answer to SELECT.
func selectionOf(mailbox string, data *imap.SelectData, said wire.Notes) selection {
	s := selection{mailbox: mailbox}
	s.UIDValidity = data.UIDValidity
	s.UIDNext = state.UID(data.UIDNext)
	s.Messages = data.NumMessages
	s.ModSeq = state.ModSeq(data.HighestModSeq) // 0 with NOMODSEQ
	s.ReadOnly = said.ReadOnly
	s.Permanent = permanentFrom(data.PermanentFlags)
	switch {
	case !slices.Contains(said.Codes, "PERMANENTFLAGS"):
		// RFC 9051, section 7.1: without the code all flags are permanent.
		s.Permanent = flagsFrom(data.Flags)
	case len(data.PermanentFlags) == 0:
		// Cyrus says READ-WRITE of a mailbox with the rights "lr". Taken at its
		// word, no flag would count there, not even one that its owner sets.
		s.ReadOnly = true
	}
	s.Keywords = keywordRule(data, said)
	s.storable = storable{s.Permanent, s.Keywords}
	if s.ReadOnly {
		s.Permanent, s.Keywords = 0, state.KeywordRule{Any: true}
		s.storable = storable{flagsFrom(data.Flags), s.Keywords}
	}
	return s
}

// open makes sure that the mailbox of ref is open. One that is open already is
// kept, so that a check and the change that follows it happen in one session.
func (c *Conn) open(ref state.Ref) error {
	if c.selected.mailbox != ref.Mailbox || c.selected.UIDValidity != ref.UIDValidity {
		if err := c.selectFresh(ref.Mailbox); err != nil {
			return err
		}
	}
	if c.selected.UIDValidity != ref.UIDValidity {
		return generationError(ref.Mailbox, ref.UIDValidity, c.selected.UIDValidity)
	}
	return nil
}

// openNow is open for questions about the mailbox as it is now. A server may
// show a kept selection as it was at the end of the last command: NOOP is what
// makes it look. RFC 9051, section 6.1.2.
func (c *Conn) openNow(ref state.Ref, doing state.Text) error {
	kept := c.selected.mailbox == ref.Mailbox && c.selected.UIDValidity == ref.UIDValidity
	if err := c.open(ref); err != nil || !kept {
		return err
	}
	if err := c.client.Noop().Wait(); err != nil {
		return c.fail(doing, err)
	}
	c.takeNotes()
	return nil
}

// openForChange is open for work that changes messages.
func (c *Conn) openForChange(ref state.Ref, doing state.Text) error {
	if err := c.openNow(ref, doing); err != nil {
		return err
	}
	if c.selected.ReadOnly {
		return mailboxError(state.CauseReadOnly, doing, "ask the mailbox's owner for the right to do this",
			"the server lets the mailbox only be read")
	}
	return nil
}

// checkGeneration compares ref with what this connection has heard of the
// mailbox, and asks when it has heard something else or nothing.
func (c *Conn) checkGeneration(ref state.Ref, doing state.Text) error {
	if heard := c.generations[ref.Mailbox]; heard != 0 && heard == ref.UIDValidity {
		return nil
	}
	// STATUS must not be used on the open mailbox (RFC 9051, section 6.3.11).
	if c.selected.mailbox != ref.Mailbox {
		data, err := c.client.Status(ref.Mailbox, statusItems(false)).Wait()
		if err != nil {
			return c.fail(doing, err)
		}
		c.takeNotes()
		c.generations[ref.Mailbox] = data.UIDValidity
	}
	if c.generations[ref.Mailbox] == 0 || c.selected.mailbox == ref.Mailbox {
		if err := c.selectFresh(ref.Mailbox); err != nil {
			return err
		}
	}
	if now := c.generations[ref.Mailbox]; now != ref.UIDValidity {
		return generationError(ref.Mailbox, ref.UIDValidity, now)
	}
	return nil
}

func generationError(mailbox string, want, got uint32) error {
	return mailboxError(state.CauseGeneration, state.Textf("open mailbox %q", mailbox),
		"the server renumbered the mailbox or made it anew; nothing is changed there until that is cleared up",
		"UIDVALIDITY is %d, not %d as before", got, want)
}

// Next opens the mailbox and returns its current UIDVALIDITY, UIDNEXT and number of
// messages. STATUS would do without opening it, and may answer from the view that the
// server had when it last opened it: a Dovecot that rebuilds its index does so for a
// second, on any connection.
func (c *Conn) Next(ctx context.Context, mailbox string) (state.Cursor, error) {
	doing := state.Textf("ask for the next UID of %q", mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return state.Cursor{}, err
	}
	defer stop()
	if err := c.selectFresh(mailbox); err != nil {
		return state.Cursor{}, err
	}
	cursor := c.selected.Cursor
	if cursor.UIDNext == 0 {
		// RFC 3501 made UIDNEXT optional in SELECT.
		last, err := c.lastUID(doing)
		if err != nil {
			return state.Cursor{}, err
		}
		cursor.UIDNext = last + 1
	}
	return cursor, nil
}

// lastUID returns the UID of the open mailbox's last message, 0 if it is empty.
func (c *Conn) lastUID(doing state.Text) (state.UID, error) {
	if c.selected.Messages == 0 {
		return 0, nil
	}
	list, err := c.listFlags(imap.SeqSet{{Start: c.selected.Messages, Stop: c.selected.Messages}}, 0, doing)
	if err != nil {
		return 0, err
	}
	if len(list) != 1 {
		return 0, mailboxError(state.CauseStale, doing, "", "the last message of the mailbox could not be found")
	}
	return list[0].uid, nil
}
