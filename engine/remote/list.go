package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

const (
	// mailboxesMax and mailboxBytesMax bound the list, and what its names take: beyond
	// them the server is lying or broken.
	mailboxesMax    = 100_000
	mailboxBytesMax = 64 << 20
	// statusWindow is how many STATUS commands are on their way at once.
	statusWindow = 64
)

// List returns every mailbox that the server shows, with its STATUS where the
// server gives it.
func (c *Conn) List(ctx context.Context) ([]state.RemoteMailbox, error) {
	const doing = "list the mailboxes"
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := c.unselect(doing); err != nil {
		return nil, err
	}
	list, err := c.listAll("*", doing)
	if err != nil {
		return nil, err
	}
	patterns, err := c.hidden(doing)
	if err != nil {
		return nil, err
	}
	for _, pattern := range patterns {
		more, err := c.listAll(pattern, doing)
		if err != nil {
			return nil, err
		}
		list = joined(list, more)
	}
	if err := checkList(list); err != nil {
		return nil, c.fail(doing, &state.Error{
			Scope: state.ScopeAccount, Doing: doing, Err: err,
			Hint: unreliable,
		})
	}
	if err := c.fillStatus(list, doing); err != nil {
		return nil, err
	}
	return list, nil
}

// unselect leaves the open mailbox, of which STATUS would tell an old view.
// RFC 3691. Without UNSELECT it stays open, and its STATUS will not be used.
func (c *Conn) unselect(doing state.Text) error {
	if c.selected.mailbox == "" || !c.caps.Has("UNSELECT") {
		return nil
	}
	if err := c.client.Unselect().Wait(); err != nil {
		return c.fail(doing, err)
	}
	c.selected = selection{}
	return nil
}

// joined adds to a list what it does not have yet.
func joined(list, more []state.RemoteMailbox) []state.RemoteMailbox {
	have := make(map[string]bool, len(list))
	for _, m := range list {
		have[m.Name] = true
	}
	return append(list, slices.DeleteFunc(more, func(m state.RemoteMailbox) bool { return have[m.Name] })...)
}

// listAll sends LIST and reads all of the answer.
func (c *Conn) listAll(pattern string, doing state.Text) ([]state.RemoteMailbox, error) {
	var options *imap.ListOptions
	if c.caps.Has("LIST-EXTENDED") || c.caps.Has("LIST-STATUS") {
		// RFC 5258, RFC 6154 section 3, RFC 5819.
		options = &imap.ListOptions{ReturnSpecialUse: c.caps.Has("SPECIAL-USE")}
		if c.caps.Has("LIST-STATUS") {
			options.ReturnStatus = statusItems(c.canCondStore())
		}
	}
	return c.readList(c.client.List("", pattern, options), doing)
}

// readList reads the whole answer to LIST. One that is longer than there can be ends
// the connection: nobody knows when it would end by itself.
func (c *Conn) readList(cmd *imapclient.ListCommand, doing state.Text) ([]state.RemoteMailbox, error) {
	var list []state.RemoteMailbox
	err := c.eachListed(cmd, doing, func(data *imap.ListData) { list = append(list, mailboxOf(data)) })
	return list, err
}

// eachListed calls yield with each line of the answer to LIST.
func (c *Conn) eachListed(cmd *imapclient.ListCommand, doing state.Text, yield func(*imap.ListData)) error {
	lines, bytes := 0, 0
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		if data.Mailbox == "" || c.broken != nil {
			continue
		}
		yield(data)
		lines++
		if bytes += len(data.Mailbox); lines > mailboxesMax || bytes > mailboxBytesMax {
			c.breakOff(&state.Error{
				Scope: state.ScopeAccount, Doing: doing, Hint: unreliable,
				Err: fmt.Errorf("the server lists more than %d mailboxes, or names of more than %d bytes", mailboxesMax, mailboxBytesMax),
			})
		}
	}
	switch err := cmd.Close(); {
	case c.broken != nil:
		return c.broken
	case err != nil:
		return c.fail(doing, err)
	}
	c.takeNotes()
	return nil
}

// unreliable is what is done about a list that must not be believed.
const unreliable = "the list cannot be relied upon, so nothing was done"

// checkList reports a list that must not be believed: one that lacks INBOX
// shows only a part of what is there.
func checkList(list []state.RemoteMailbox) error {
	if len(list) > mailboxesMax { // joined of several answers
		return fmt.Errorf("the server lists more than %d mailboxes", mailboxesMax)
	}
	seen := make(map[string]bool, len(list))
	for _, m := range list {
		if seen[m.Name] {
			return fmt.Errorf("the server lists mailbox %q twice", m.Name)
		}
		seen[m.Name] = true
	}
	if !seen["INBOX"] {
		return fmt.Errorf("the server's list of %s lacks INBOX", state.Count(len(list), "mailbox|mailboxes"))
	}
	return nil
}

// mailboxOf translates one line of the list.
func mailboxOf(data *imap.ListData) state.RemoteMailbox {
	m := state.RemoteMailbox{Name: inboxName(data.Mailbox, data.Delim), Delimiter: data.Delim}
	for _, attr := range data.Attrs {
		switch attr {
		case imap.MailboxAttrNoSelect, imap.MailboxAttrNonExistent:
			m.NoSelect = true
		default:
			if role := roleOf(attr); role != state.RoleNone {
				m.Role = role
			}
		}
	}
	if m.Name == "INBOX" {
		m.Role = state.RoleInbox
	}
	if data.Status != nil {
		m.Status = cursorOf(data.Status)
	}
	return m
}

// inboxName spells the first level INBOX, in whatever case it comes, in
// capitals. RFC 9051, section 5.1: INBOX is case-insensitive, other names are not.
func inboxName(name string, delimiter rune) string {
	first, rest := name, ""
	if delimiter != 0 {
		if i := strings.IndexRune(name, delimiter); i >= 0 {
			first, rest = name[:i], name[i:]
		}
	}
	if strings.EqualFold(first, "INBOX") {
		return "INBOX" + rest
	}
	return name
}

// statusItems are the values that together prove a mailbox unchanged.
// HIGHESTMODSEQ is asked for only where it exists: others answer BAD.
func statusItems(modSeq bool) *imap.StatusOptions {
	return &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true, HighestModSeq: modSeq}
}

// cursorOf reads a STATUS answer. Without the number of messages it proves
// nothing and counts as unknown.
func cursorOf(data *imap.StatusData) state.Cursor {
	if data.NumMessages == nil {
		return state.Cursor{}
	}
	return state.Cursor{
		UIDValidity: data.UIDValidity,
		UIDNext:     state.UID(data.UIDNext),
		ModSeq:      state.ModSeq(data.HighestModSeq),
		Messages:    *data.NumMessages,
	}
}

// fillStatus asks for the STATUS of the mailboxes that came without one: the
// server has no LIST-STATUS, or sent the answers in an order in which the
// library does not recognise them. The commands are sent together, because a
// STATUS answer names its mailbox. A mailbox that refuses stays unknown.
func (c *Conn) fillStatus(list []state.RemoteMailbox, doing state.Text) error {
	var wanting []*state.RemoteMailbox
	for i := range list {
		switch m := &list[i]; {
		case m.NoSelect:
		case m.Name == c.selected.mailbox:
			m.Status = state.Cursor{}
		case m.Status.UIDValidity == 0:
			wanting = append(wanting, m)
		}
	}
	defer func() {
		for _, m := range list {
			if m.Status.UIDValidity != 0 {
				c.generations[m.Name] = m.Status.UIDValidity
			}
		}
	}()
	for len(wanting) > 0 {
		window := wanting[:min(statusWindow, len(wanting))]
		wanting = wanting[len(window):]
		if err := c.statusOf(window, doing); err != nil {
			return err
		}
	}
	return nil
}

// statusOf asks for the STATUS of a few mailboxes at once.
func (c *Conn) statusOf(window []*state.RemoteMailbox, doing state.Text) error {
	cmds := make([]*imapclient.StatusCommand, len(window))
	for i, m := range window {
		cmds[i] = c.client.Status(m.Name, statusItems(c.canCondStore()))
	}
	var lost error
	for i, m := range window {
		data, err := cmds[i].Wait()
		switch {
		case err == nil:
			m.Status = cursorOf(data)
		case isRefusal(err):
			c.o.Log.Debug().Str("mailbox", m.Name).Err(err).Msg("no status of a mailbox")
		case lost == nil:
			lost = err
		}
	}
	if lost != nil {
		return c.fail(doing, lost)
	}
	c.takeNotes()
	return nil
}
