package lab

import (
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

// IMAP is what a scenario needs of a server, whichever it is: [Server] and
// [Peer] are of this kind. The methods fail the test when they cannot do what
// they are asked to.
type IMAP interface {
	Upstream
	Accounts
	MailboxClient
	MessageClient
	// Bind returns the same server with t as the test that its methods fail.
	Bind(t testing.TB) IMAP
}

// Accounts are the accounts on a server.
type Accounts interface {
	// User returns the user without any mail: what there was is removed. The
	// password is that of every user.
	User(name string) *User
	// Namespace returns where the user's own mailboxes lie.
	Namespace(user string) Namespace
}

// MailboxClient is another client of an account that manages mailboxes.
type MailboxClient interface {
	// Mailboxes returns all mailboxes, sorted by name.
	Mailboxes(user string) []Mailbox
	// CreateMailbox creates the mailbox and subscribes to it.
	CreateMailbox(user, name string)
	// DeleteMailbox deletes the mailbox with its messages.
	DeleteMailbox(user, name string)
	// RenameMailbox renames the mailbox with its children.
	RenameMailbox(user, from, to string)
	// Load puts messages into the mailbox, which is created if it does not exist.
	Load(user, mailbox string, messages []corpus.Message)
}

// MessageClient is another client of an account that works on messages.
type MessageClient interface {
	// Messages returns all messages of the mailbox with their bodies, by UID.
	Messages(user, mailbox string) []Message
	// Append adds a message and returns its UID.
	Append(user, mailbox string, flags []string, date time.Time, body []byte) state.UID
	// StoreFlags adds and removes flags and keywords of the messages.
	StoreFlags(user, mailbox string, uids state.UIDSet, add, remove []string)
	// Move moves the messages to the mailbox dest.
	Move(user, mailbox string, uids state.UIDSet, dest string)
	// Expunge removes exactly these messages for good.
	Expunge(user, mailbox string, uids state.UIDSet)
}

// Bind is [Server.On] for those who do not care which server it is.
func (srv *Server) Bind(t testing.TB) IMAP { return srv.On(t) }
