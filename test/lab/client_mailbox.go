package lab

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/test/corpus"
)

// Mailbox is one mailbox as the server lists it.
type Mailbox struct {
	Name  string
	Attrs []string
}

// Namespace is where a user's own mailboxes lie. RFC 2342.
type Namespace struct {
	// Prefix stands before every name but INBOX, such as "INBOX."; most servers
	// have none.
	Prefix string
	// Delimiter separates the levels of a name.
	Delimiter string
}

// Name returns the mailbox of these levels.
func (n Namespace) Name(levels ...string) string {
	return n.Prefix + strings.Join(levels, n.Delimiter)
}

// Namespace returns where the user's own mailboxes lie. RFC 2342.
func (other client) Namespace(user string) Namespace {
	other.t.Helper()
	var found Namespace
	other.withClient(user, func(c *imapclient.Client) error {
		data, err := c.Namespace().Wait()
		if err != nil {
			return fmt.Errorf("ask for the namespaces: %w", err)
		}
		if len(data.Personal) != 1 {
			return fmt.Errorf("there are %d personal namespaces, want one", len(data.Personal))
		}
		found = Namespace{data.Personal[0].Prefix, string(data.Personal[0].Delim)}
		return nil
	})
	return found
}

// Mailboxes returns all mailboxes, sorted by name.
func (other client) Mailboxes(user string) []Mailbox {
	other.t.Helper()
	var mailboxes []Mailbox
	other.withClient(user, func(c *imapclient.Client) error {
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
func (other client) CreateMailbox(user, name string) {
	other.t.Helper()
	other.withClient(user, func(c *imapclient.Client) error {
		if err := c.Create(name, nil).Wait(); err != nil {
			return fmt.Errorf("create %q: %w", name, err)
		}
		return c.Subscribe(name).Wait()
	})
}

// Share gives another user these rights on a mailbox of the user. RFC 4314, section 3.1.
func (other client) Share(user, mailbox, with, rights string) {
	other.t.Helper()
	other.withClient(user, func(c *imapclient.Client) error {
		err := c.SetACL(mailbox, imap.RightsIdentifier(with), imap.RightModificationReplace, imap.RightSet(rights)).Wait()
		if err != nil {
			return fmt.Errorf("give %s rights on %q: %w", with, mailbox, err)
		}
		return nil
	})
}

// DeleteMailbox deletes the mailbox with its messages.
func (other client) DeleteMailbox(user, name string) {
	other.t.Helper()
	other.withClient(user, func(c *imapclient.Client) error {
		if err := c.Delete(name).Wait(); err != nil {
			return fmt.Errorf("delete %q: %w", name, err)
		}
		return nil
	})
}

// RenameMailbox renames the mailbox with its children.
func (other client) RenameMailbox(user, from, to string) {
	other.t.Helper()
	other.withClient(user, func(c *imapclient.Client) error {
		if err := c.Rename(from, to, nil).Wait(); err != nil {
			return fmt.Errorf("rename %q to %q: %w", from, to, err)
		}
		return nil
	})
}

// Load puts messages into the mailbox in one session. The mailbox is created if
// it does not exist.
func (other client) Load(user, mailbox string, messages []corpus.Message) {
	other.t.Helper()
	if !slices.ContainsFunc(other.Mailboxes(user), func(m Mailbox) bool { return m.Name == mailbox }) {
		other.CreateMailbox(user, mailbox)
	}
	other.withClient(user, func(c *imapclient.Client) error {
		for _, m := range messages {
			options := &imap.AppendOptions{Flags: imapFlags(IMAPFlags(m.Flags)), Time: m.Date}
			if _, err := appendMessage(c, mailbox, options, m.Body); err != nil {
				return fmt.Errorf("load %s: %w", m.Token, err)
			}
		}
		return nil
	})
}

// appendMessage sends one message and waits for the answer.
func appendMessage(c *imapclient.Client, mailbox string, options *imap.AppendOptions, body []byte) (*imap.AppendData, error) {
	cmd := c.Append(mailbox, int64(len(body)), options)
	_, err := cmd.Write(body)
	err = errors.Join(err, cmd.Close())
	// The answer says more than the connection that broke because of it.
	data, refusal := cmd.Wait()
	if refusal != nil {
		err = refusal
	}
	if err != nil {
		return nil, fmt.Errorf("append to %q: %w", mailbox, err)
	}
	return data, nil
}
