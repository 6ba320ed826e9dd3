package remote

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// describedMax is how many messages without a UID are described.
const describedMax = 5

// Identify returns flags, identity and identity fields of those of the uids that
// exist, by UID.
// A message whose identity the server does not tell is an error: it is there,
// and leaving it out would say that it is not.
func (c *Conn) Identify(ctx context.Context, ref state.Ref, uids state.UIDSet) ([]state.RemoteMessage, error) {
	doing := doingUIDs("identify", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := c.openNow(ref, doing); err != nil {
		return nil, err
	}
	var all []state.RemoteMessage
	for chunk := range perCommand(uids) {
		found, err := c.identify(chunk, ref.Mailbox)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// identify identifies one chunk. Who does not appear whole in the answer is
// looked for, and asked for again: an unasked FETCH response may have taken
// the place of the answer.
func (c *Conn) identify(uids state.UIDSet, mailbox string) ([]state.RemoteMessage, error) {
	doing := doingUIDs("identify", uids, mailbox)
	found, err := c.fetchIdentities(uids, doing)
	if err != nil {
		return nil, err
	}
	if missing := without(uids, found); len(missing) > 0 {
		present, err := c.presentFlags(missing, doing)
		if err != nil {
			return nil, err
		}
		for uid := range present {
			single := state.NewUIDSet(uid)
			again, err := c.fetchIdentities(single, doing)
			if err != nil {
				return nil, err
			}
			m, ok := again[uid]
			if !ok {
				return nil, &state.Error{
					Scope: state.ScopeMessage, Cause: state.CauseOther, Doing: doingUIDs("identify", single, mailbox),
					Err: errIncomplete, Hint: "other programs may be able to repair the message on the server",
				}
			}
			found[uid] = m
		}
	}
	list := make([]state.RemoteMessage, 0, len(found))
	for _, m := range found {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b state.RemoteMessage) int { return compareUIDs(a.UID, b.UID) })
	return list, nil
}

// fetchIdentities sends one FETCH and returns the messages that came whole.
func (c *Conn) fetchIdentities(uids state.UIDSet, doing state.Text) (map[state.UID]state.RemoteMessage, error) {
	cmd := c.client.Fetch(uidsTo(uids), &imap.FetchOptions{
		UID: true, Flags: true, RFC822Size: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{identityFields()},
	})
	found := make(map[state.UID]state.RemoteMessage)
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if m, whole := c.readIdentity(msg); whole && uids.Contains(m.UID) {
			found[m.UID] = m
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, c.fail(doing, err)
	}
	c.takeNotes()
	return found, nil
}

// identityFields is the part of a header that identifies a message.
func identityFields() *imap.FetchItemBodySection {
	return &imap.FetchItemBodySection{
		Specifier: imap.PartSpecifierHeader, HeaderFields: state.IdentityFields(), Peek: true,
	}
}

// describe returns messages that have no UID as far as somebody can find them by: their
// place in the mailbox, and the identity fields of the first of them.
func (c *Conn) describe(numbers []uint32) ([]state.Unnumbered, error) {
	list := make([]state.Unnumbered, len(numbers))
	for i, n := range numbers {
		list[i].Number = n
	}
	if len(list) == 0 {
		return nil, nil
	}
	cmd := c.client.Fetch(imap.SeqSetNum(numbers[:min(len(numbers), describedMax)]...),
		&imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{identityFields()}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		m, _ := c.readIdentity(msg)
		if i := slices.Index(numbers, msg.SeqNum); i >= 0 && i < describedMax {
			list[i].Fields = m.Fields
		}
	}
	if err := cmd.Close(); err != nil && !isRefusal(err) {
		return nil, c.fail("describe messages without a UID", err)
	}
	c.takeNotes()
	return list, nil
}

// readIdentity reads one response. It returns false when something is missing
// without which the message cannot be told from others. INTERNALDATE may be
// missing: there are servers without one for some messages.
func (c *Conn) readIdentity(msg *imapclient.FetchMessageData) (state.RemoteMessage, bool) {
	var m state.RemoteMessage
	var flags, size, header bool
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.UID = state.UID(item.UID)
		case imapclient.FetchItemDataFlags:
			m.Flags, m.Keywords, flags = flagsFrom(item.Flags), keywordsFrom(item.Flags), true
		case imapclient.FetchItemDataRFC822Size:
			m.Identity.Size, size = item.Size, true
		case imapclient.FetchItemDataInternalDate:
			m.Identity.Date = item.Time.Unix()
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil || !strings.HasPrefix(string(item.Section.Specifier), string(imap.PartSpecifierHeader)) {
				continue // NIL: the message has just been expunged
			}
			if m.Fields, m.Identity.Header, header = readHeader(item.Literal); !header {
				c.awaitEnd()
			}
		}
	}
	return m, m.UID != 0 && flags && size && header
}

// readHeader reads a header of any length in bounded memory: its identity fields
// and their digest. It returns false when the header did not come to its end.
func readHeader(literal imap.LiteralReader) (fields string, digest state.Digest, whole bool) {
	d := state.NewDigester()
	n, err := io.Copy(d, literal)
	return d.Fields(), d.Sum().Header, err == nil && n == literal.Size()
}
