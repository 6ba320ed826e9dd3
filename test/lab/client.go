package lab

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// Message is one message as the server shows it.
type Message struct {
	UID   state.UID
	Flags state.Flags
	// Keywords are all flags that no Maildir letter stands for, sorted,
	// \Recent left out.
	Keywords     []string
	InternalDate time.Time
	Body         []byte
	Sum          [sha256.Size]byte // of Body
}

// client acts as another client of any account on a server. Its methods fail
// the test when they cannot do what they are asked to.
type client struct {
	t        testing.TB
	addr     string // host:port with implicit TLS
	tls      *tls.Config
	password string
}

// withClient logs in over TLS, runs do and logs out. Every call has its own
// connection, as if a client had been opened for just this.
func (other client) withClient(user string, do func(c *imapclient.Client) error) {
	other.t.Helper()
	if err := other.session(user, do); err != nil {
		other.t.Fatalf("as %s: %v", user, err)
	}
}

func (other client) session(user string, do func(c *imapclient.Client) error) error {
	c, err := imapclient.DialTLS(other.addr, &imapclient.Options{TLSConfig: other.tls})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	if err := c.Login(user, other.password).Wait(); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if err := do(c); err != nil {
		return err
	}
	if err := c.Logout().Wait(); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// withMailbox is withClient with the mailbox selected.
func (other client) withMailbox(user, mailbox string, do func(c *imapclient.Client, s *imap.SelectData) error) {
	other.t.Helper()
	other.withClient(user, func(c *imapclient.Client) error {
		selected, err := c.Select(mailbox, nil).Wait()
		if err != nil {
			return fmt.Errorf("select %q: %w", mailbox, err)
		}
		return do(c, selected)
	})
}

// Append adds a message and returns its UID. Flags are IMAP flags and
// keywords; see [IMAPFlags].
func (other client) Append(user, mailbox string, flags []string, date time.Time, body []byte) state.UID {
	other.t.Helper()
	uid, err := other.TryAppend(user, mailbox, flags, date, body)
	if err != nil {
		other.t.Fatalf("as %s: %v", user, err)
	}
	return uid
}

// TryAppend is Append for a message that the server may refuse: the error then
// is an *imap.Error.
func (other client) TryAppend(user, mailbox string, flags []string, date time.Time, body []byte) (state.UID, error) {
	var uid state.UID
	err := other.session(user, func(c *imapclient.Client) error {
		options := &imap.AppendOptions{Flags: imapFlags(flags), Time: date}
		data, err := appendMessage(c, mailbox, options, body)
		if err != nil {
			return err
		}
		uid = state.UID(data.UID)
		return nil
	})
	return uid, err
}

// Messages returns all messages of the mailbox with their bodies, by UID.
func (other client) Messages(user, mailbox string) []Message {
	other.t.Helper()
	var messages []Message
	other.withMailbox(user, mailbox, func(c *imapclient.Client, s *imap.SelectData) error {
		if s.NumMessages == 0 {
			return nil
		}
		section := &imap.FetchItemBodySection{Peek: true}
		fetch := c.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
			UID: true, Flags: true, InternalDate: true, RFC822Size: true,
			BodySection: []*imap.FetchItemBodySection{section},
		})
		defer fetch.Close()
		for data := fetch.Next(); data != nil; data = fetch.Next() {
			buffer, err := data.Collect()
			if err != nil {
				return fmt.Errorf("fetch from %q: %w", mailbox, err)
			}
			m := message(buffer, buffer.FindBodySection(section))
			// The library takes a cut literal for a short one.
			if int64(len(m.Body)) != buffer.RFC822Size {
				return fmt.Errorf("fetch UID %d: %d bytes of %d", m.UID, len(m.Body), buffer.RFC822Size)
			}
			messages = append(messages, m)
		}
		if err := fetch.Close(); err != nil {
			return fmt.Errorf("fetch from %q: %w", mailbox, err)
		}
		if len(messages) != int(s.NumMessages) {
			return fmt.Errorf("fetched %d of %d messages of %q", len(messages), s.NumMessages, mailbox)
		}
		return nil
	})
	slices.SortFunc(messages, func(a, b Message) int { return cmp.Compare(a.UID, b.UID) })
	return messages
}

func message(buffer *imapclient.FetchMessageBuffer, body []byte) Message {
	m := Message{
		UID: state.UID(buffer.UID), InternalDate: buffer.InternalDate.UTC(),
		Body: body, Sum: sha256.Sum256(body),
	}
	for _, flag := range buffer.Flags {
		switch bit := maildirFlag(string(flag)); {
		case bit != 0:
			m.Flags |= bit
		case !strings.EqualFold(string(flag), `\Recent`):
			m.Keywords = append(m.Keywords, string(flag))
		}
	}
	slices.Sort(m.Keywords)
	return m
}

// StoreFlags adds and removes flags and keywords of the messages. Removal
// comes first.
func (other client) StoreFlags(user, mailbox string, uids state.UIDSet, add, remove []string) {
	other.t.Helper()
	other.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
		for _, change := range []struct {
			op    imap.StoreFlagsOp
			flags []string
		}{{imap.StoreFlagsDel, remove}, {imap.StoreFlagsAdd, add}} {
			if len(change.flags) == 0 {
				continue
			}
			store := &imap.StoreFlags{Op: change.op, Flags: imapFlags(change.flags)}
			if err := c.Store(uidSet(uids), store, nil).Close(); err != nil {
				return fmt.Errorf("store flags in %q: %w", mailbox, err)
			}
		}
		return nil
	})
}

// Move moves the messages to the mailbox dest.
func (other client) Move(user, mailbox string, uids state.UIDSet, dest string) {
	other.t.Helper()
	other.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
		if _, err := c.Move(uidSet(uids), dest).Wait(); err != nil {
			return fmt.Errorf("move from %q to %q: %w", mailbox, dest, err)
		}
		return nil
	})
}

// Expunge removes exactly these messages for good.
func (other client) Expunge(user, mailbox string, uids state.UIDSet) {
	other.t.Helper()
	other.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
		if err := c.Store(uidSet(uids), store, nil).Close(); err != nil {
			return fmt.Errorf("mark for expunge in %q: %w", mailbox, err)
		}
		if err := c.UIDExpunge(uidSet(uids)).Close(); err != nil {
			return fmt.Errorf("expunge from %q: %w", mailbox, err)
		}
		return nil
	})
}

func uidSet(uids state.UIDSet) imap.UIDSet {
	set := make(imap.UIDSet, 0, len(uids))
	for _, r := range uids {
		set = append(set, imap.UIDRange{Start: imap.UID(r.First), Stop: imap.UID(r.Last)})
	}
	return set
}

func imapFlags(names []string) []imap.Flag {
	flags := make([]imap.Flag, 0, len(names))
	for _, name := range names {
		flags = append(flags, imap.Flag(name))
	}
	return flags
}
