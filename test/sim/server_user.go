package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"mailmoor/state"
)

// What another client of the same user does, what the administrator does, and
// what a test looks at. None of it takes a step. A mailbox or message that does
// not exist is a mistake in the test and panics.

// must returns the mailbox.
func (s *Server) must(name string) *mailbox {
	m := s.mailboxes[name]
	if m == nil {
		panic(fmt.Sprintf("the test uses mailbox %q, which does not exist", name))
	}
	return m
}

// Append adds a message; its UID is given by the server and returned.
func (s *Server) Append(name string, msg Message) state.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.must(name), msg)
}

// SetFlags gives the message exactly these flags.
func (s *Server) SetFlags(name string, uid state.UID, flags state.Flags) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.must(name)
	m.setFlags(m.must(uid), flags&s.permanent())
}

// SetKeywords gives the message exactly these keywords.
func (s *Server) SetKeywords(name string, uid state.UID, keywords state.Keywords) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.must(name)
	m.setKeywords(m.must(uid), s.rule().Of(keywords))
}

// must returns the message.
func (m *mailbox) must(uid state.UID) *message {
	_, msg := m.find(uid)
	if msg == nil {
		panic(fmt.Sprintf("the test uses UID %d of mailbox %q, which does not exist", uid, m.name))
	}
	return msg
}

// Move moves the message and returns its new UID.
func (s *Server) Move(name string, uid state.UID, dest string) state.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, to := s.must(name), s.must(dest)
	msg := from.must(uid).Message
	i, _ := from.find(uid)
	from.remove(i)
	return s.add(to, msg)
}

// Expunge removes the message for good.
func (s *Server) Expunge(name string, uid state.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.must(name)
	m.must(uid)
	i, _ := m.find(uid)
	m.remove(i)
}

// CreateMailbox creates an empty mailbox.
func (s *Server) CreateMailbox(name string, role state.Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mailboxes[name] != nil {
		panic(fmt.Sprintf("the test creates mailbox %q twice", name))
	}
	s.addMailbox(name, role)
}

// DeleteMailbox removes the mailbox with its messages.
func (s *Server) DeleteMailbox(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.must(name)
	delete(s.mailboxes, name)
}

// RenameMailbox gives the mailbox another name; messages and UIDs stay.
func (s *Server) RenameMailbox(name, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.must(name)
	delete(s.mailboxes, name)
	m.name = to
	s.mailboxes[to] = m
}

// SetReadOnly makes the mailbox readable only, or writable again.
func (s *Server) SetReadOnly(name string, readOnly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.must(name).readOnly = readOnly
}

// WipeMailbox makes all messages vanish while UIDVALIDITY and UIDNEXT stay: a
// message store that was lost behind an intact index.
func (s *Server) WipeMailbox(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.must(name)
	for len(m.messages) > 0 {
		m.remove(len(m.messages) - 1)
	}
}

// ResetUIDValidity begins a new generation: a new UIDVALIDITY, and the messages
// numbered from 1 in their old order. RFC 9051, section 2.3.1.1.
func (s *Server) ResetUIDValidity(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.must(name)
	m := s.addMailbox(name, old.role)
	m.readOnly, m.subscribed = old.readOnly, old.subscribed
	for _, msg := range old.messages {
		s.add(m, msg.Message)
	}
}

// Backup is the state of a server at one moment.
type Backup struct{ mailboxes map[string]*mailbox }

// Backup returns a copy of all mailboxes.
func (s *Server) Backup() Backup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Backup{cloneAll(s.mailboxes)}
}

// Restore puts the backup in place of all mailboxes: UIDNEXT and mod-sequences
// go back, and UIDs are given again.
func (s *Server) Restore(b Backup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mailboxes = cloneAll(b.mailboxes)
}

func cloneAll(mailboxes map[string]*mailbox) map[string]*mailbox {
	all := maps.Clone(mailboxes)
	for name, m := range all {
		all[name] = m.clone()
	}
	return all
}

// Configure changes the options of the running server. The world stays.
func (s *Server) Configure(change func(*ServerOptions)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.opts)
}

// DropConnections cuts all connections that exist.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drops++
}

// Mailboxes returns the names of all mailboxes in order.
func (s *Server) Mailboxes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names()
}

// Subscribed reports whether the engine subscribed to the mailbox.
func (s *Server) Subscribed(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.must(name).subscribed
}

// Cursor returns UIDVALIDITY, UIDNEXT and the rest of the mailbox's STATUS.
func (s *Server) Cursor(name string) state.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor(s.must(name))
}

// Messages returns copies of the mailbox's messages by UID.
func (s *Server) Messages(name string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Message
	for _, msg := range s.must(name).messages {
		copied := msg.Message
		copied.Body = bytes.Clone(copied.Body)
		list = append(list, copied)
	}
	return list
}

// Commands returns the changing commands that connections sent so far, in
// order, whether or not they had an effect. A run that has nothing to do adds
// none.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}
