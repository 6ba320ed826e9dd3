package lab

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Mailbox is one mailbox as the server lists it.
type Mailbox struct {
	Name  string
	Attrs []string
}

// withClient logs in over TLS, runs do and logs out. Every call has its own
// connection, as if a client had been opened for just this.
func (srv *Server) withClient(user string, do func(c *imapclient.Client) error) {
	srv.t.Helper()
	if err := srv.session(user, do); err != nil {
		srv.t.Fatalf("as %s: %v", user, err)
	}
}

func (srv *Server) session(user string, do func(c *imapclient.Client) error) error {
	c, err := imapclient.DialTLS(srv.Addr(), &imapclient.Options{TLSConfig: srv.TLS()})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	if err := c.Login(user, srv.Password).Wait(); err != nil {
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
func (srv *Server) withMailbox(user, mailbox string, do func(c *imapclient.Client, s *imap.SelectData) error) {
	srv.t.Helper()
	srv.withClient(user, func(c *imapclient.Client) error {
		selected, err := c.Select(mailbox, nil).Wait()
		if err != nil {
			return fmt.Errorf("select %q: %w", mailbox, err)
		}
		return do(c, selected)
	})
}

// Append adds a message and returns its UID. Flags are IMAP flags and
// keywords; see [IMAPFlags].
func (srv *Server) Append(user, mailbox string, flags []string, date time.Time, body []byte) state.UID {
	srv.t.Helper()
	uid, err := srv.TryAppend(user, mailbox, flags, date, body)
	if err != nil {
		srv.t.Fatalf("as %s: %v", user, err)
	}
	return uid
}

// TryAppend is Append for a message that the server may refuse: the error then
// is an *imap.Error.
func (srv *Server) TryAppend(user, mailbox string, flags []string, date time.Time, body []byte) (state.UID, error) {
	var uid state.UID
	err := srv.session(user, func(c *imapclient.Client) error {
		options := &imap.AppendOptions{Flags: imapFlags(flags), Time: date}
		cmd := c.Append(mailbox, int64(len(body)), options)
		_, err := cmd.Write(body)
		err = errors.Join(err, cmd.Close())
		// The answer says more than the connection that broke because of it.
		data, refusal := cmd.Wait()
		if refusal != nil {
			err = refusal
		}
		if err != nil {
			return fmt.Errorf("append to %q: %w", mailbox, err)
		}
		uid = state.UID(data.UID)
		return nil
	})
	return uid, err
}

// Messages returns all messages of the mailbox with their bodies, by UID.
func (srv *Server) Messages(user, mailbox string) []Message {
	srv.t.Helper()
	var messages []Message
	srv.withMailbox(user, mailbox, func(c *imapclient.Client, s *imap.SelectData) error {
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

// Mailboxes returns all mailboxes, sorted by name.
func (srv *Server) Mailboxes(user string) []Mailbox {
	srv.t.Helper()
	var mailboxes []Mailbox
	srv.withClient(user, func(c *imapclient.Client) error {
		listed, err := c.List("", "*", nil).Collect()
		if err != nil {
			return fmt.Errorf("list the mailboxes: %w", err)
		}
		for _, data := range listed {
			m := Mailbox{Name: data.Mailbox}
			for _, attr := range data.Attrs {
				m.Attrs = append(m.Attrs, string(attr))
			}
			mailboxes = append(mailboxes, m)
		}
		return nil
	})
	slices.SortFunc(mailboxes, func(a, b Mailbox) int { return cmp.Compare(a.Name, b.Name) })
	return mailboxes
}

// CreateMailbox creates the mailbox and subscribes to it.
func (srv *Server) CreateMailbox(user, name string) {
	srv.t.Helper()
	srv.withClient(user, func(c *imapclient.Client) error {
		if err := c.Create(name, nil).Wait(); err != nil {
			return fmt.Errorf("create %q: %w", name, err)
		}
		return c.Subscribe(name).Wait()
	})
}

// DeleteMailbox deletes the mailbox with its messages.
func (srv *Server) DeleteMailbox(user, name string) {
	srv.t.Helper()
	srv.withClient(user, func(c *imapclient.Client) error {
		if err := c.Delete(name).Wait(); err != nil {
			return fmt.Errorf("delete %q: %w", name, err)
		}
		return nil
	})
}

// RenameMailbox renames the mailbox with its children.
func (srv *Server) RenameMailbox(user, from, to string) {
	srv.t.Helper()
	srv.withClient(user, func(c *imapclient.Client) error {
		if err := c.Rename(from, to, nil).Wait(); err != nil {
			return fmt.Errorf("rename %q to %q: %w", from, to, err)
		}
		return nil
	})
}

// StoreFlags adds and removes flags and keywords of the messages. Removal
// comes first.
func (srv *Server) StoreFlags(user, mailbox string, uids state.UIDSet, add, remove []string) {
	srv.t.Helper()
	srv.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
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
func (srv *Server) Move(user, mailbox string, uids state.UIDSet, dest string) {
	srv.t.Helper()
	srv.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
		if _, err := c.Move(uidSet(uids), dest).Wait(); err != nil {
			return fmt.Errorf("move from %q to %q: %w", mailbox, dest, err)
		}
		return nil
	})
}

// Expunge removes exactly these messages for good.
func (srv *Server) Expunge(user, mailbox string, uids state.UIDSet) {
	srv.t.Helper()
	srv.withMailbox(user, mailbox, func(c *imapclient.Client, _ *imap.SelectData) error {
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
