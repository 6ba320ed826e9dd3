package lab

import (
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// client returns another client of the server's accounts, on behalf of its test.
func (srv *Server) client() client {
	return client{t: srv.t, addr: srv.Addr(), tls: srv.TLS(), password: srv.Password}
}

func (srv *Server) withMailbox(user, mailbox string, do func(c *imapclient.Client, s *imap.SelectData) error) {
	srv.t.Helper()
	srv.client().withMailbox(user, mailbox, do)
}

// Namespace returns where the user's own mailboxes lie. RFC 2342.
func (srv *Server) Namespace(user string) Namespace {
	srv.t.Helper()
	return srv.client().Namespace(user)
}

// Append adds a message and returns its UID. Flags are IMAP flags and
// keywords; see [IMAPFlags].
func (srv *Server) Append(user, mailbox string, flags []string, date time.Time, body []byte) state.UID {
	srv.t.Helper()
	return srv.client().Append(user, mailbox, flags, date, body)
}

// TryAppend is Append for a message that the server may refuse: the error then
// is an *imap.Error.
func (srv *Server) TryAppend(user, mailbox string, flags []string, date time.Time, body []byte) (state.UID, error) {
	return srv.client().TryAppend(user, mailbox, flags, date, body)
}

// Messages returns all messages of the mailbox with their bodies, by UID.
func (srv *Server) Messages(user, mailbox string) []Message {
	srv.t.Helper()
	return srv.client().Messages(user, mailbox)
}

// Mailboxes returns all mailboxes, sorted by name.
func (srv *Server) Mailboxes(user string) []Mailbox {
	srv.t.Helper()
	return srv.client().Mailboxes(user)
}

// CreateMailbox creates the mailbox and subscribes to it.
func (srv *Server) CreateMailbox(user, name string) {
	srv.t.Helper()
	srv.client().CreateMailbox(user, name)
}

// DeleteMailbox deletes the mailbox with its messages.
func (srv *Server) DeleteMailbox(user, name string) {
	srv.t.Helper()
	srv.client().DeleteMailbox(user, name)
}

// RenameMailbox renames the mailbox with its children.
func (srv *Server) RenameMailbox(user, from, to string) {
	srv.t.Helper()
	srv.client().RenameMailbox(user, from, to)
}

// StoreFlags adds and removes flags and keywords of the messages. Removal
// comes first.
func (srv *Server) StoreFlags(user, mailbox string, uids state.UIDSet, add, remove []string) {
	srv.t.Helper()
	srv.client().StoreFlags(user, mailbox, uids, add, remove)
}

// Move moves the messages to the mailbox dest.
func (srv *Server) Move(user, mailbox string, uids state.UIDSet, dest string) {
	srv.t.Helper()
	srv.client().Move(user, mailbox, uids, dest)
}

// Expunge removes exactly these messages for good.
func (srv *Server) Expunge(user, mailbox string, uids state.UIDSet) {
	srv.t.Helper()
	srv.client().Expunge(user, mailbox, uids)
}

// Share gives another user these rights on a mailbox of the user. It needs [ACL].
// RFC 4314, section 3.1.
func (srv *Server) Share(user, mailbox, with, rights string) {
	srv.t.Helper()
	srv.client().Share(user, mailbox, with, rights)
}
