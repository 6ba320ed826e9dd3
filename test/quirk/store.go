package quirk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Message is a message in a mailbox.
type Message struct {
	UID   uint32
	Flags []string
	// Date is the INTERNALDATE.
	Date time.Time
	// Body is the whole message with CRLF line ends.
	Body []byte

	modSeq uint64
}

func (m *Message) has(flag string) bool {
	return slices.ContainsFunc(m.Flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

// box is a mailbox. It is guarded by the server's mutex, like all that lies in it.
type box struct {
	name     string // as it stands on the wire
	attrs    []string
	validity uint32
	next     uint32
	modSeq   uint64
	messages []*Message // ordered by UID
}

// touch marks a message as changed now.
func (m *box) touch(msg *Message) {
	m.modSeq++
	msg.modSeq = m.modSeq
}

func (m *box) add(msg Message) *Message {
	msg.UID = m.next
	m.next++
	m.touch(&msg)
	m.messages = append(m.messages, &msg)
	return &msg
}

func (m *box) find(uid uint32) *Message {
	for _, msg := range m.messages {
		if msg.UID == uid {
			return msg
		}
	}
	return nil
}

func (m *box) remove(uid uint32) {
	m.modSeq++
	m.messages = slices.DeleteFunc(m.messages, func(msg *Message) bool { return msg.UID == uid })
}

// lookup finds a mailbox by its name on the wire, INBOX in any case.
func (srv *Server) lookup(name string) *box {
	for _, m := range srv.mailboxes {
		if m.name == name || strings.EqualFold(m.name, "INBOX") && strings.EqualFold(name, "INBOX") {
			return m
		}
	}
	return nil
}

func (srv *Server) create(name string, attrs ...string) *box {
	srv.validity++
	m := &box{name: name, attrs: attrs, validity: srv.validity, next: 1, modSeq: 1}
	srv.mailboxes = append(srv.mailboxes, m)
	return m
}

// at runs work on a mailbox as somebody else than the clients under test. It
// panics when there is no such mailbox: the test is wrong.
func (srv *Server) at(name string, work func(*box)) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	m := srv.lookup(name)
	if m == nil {
		panic(fmt.Sprintf("mailbox %q does not exist", name))
	}
	work(m)
}

// CreateMailbox creates a mailbox. The name is the one on the wire, in modified
// UTF-7; attributes are those of LIST.
func (srv *Server) CreateMailbox(name string, attrs ...string) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.create(name, attrs...)
}

// Mailboxes returns the names of the mailboxes that can be selected, in the order
// of their creation.
func (srv *Server) Mailboxes() []string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	var names []string
	for _, m := range srv.mailboxes {
		if !slices.Contains(m.attrs, `\Noselect`) {
			names = append(names, m.name)
		}
	}
	return names
}

// Deliver adds a message to the mailbox and returns its UID.
func (srv *Server) Deliver(mailbox string, date time.Time, body []byte, flags ...string) (uid uint32) {
	srv.at(mailbox, func(m *box) { uid = m.add(Message{Flags: flags, Date: date, Body: body}).UID })
	return uid
}

// Messages returns copies of the mailbox's messages, whatever clients are shown
// of them.
func (srv *Server) Messages(mailbox string) (list []Message) {
	srv.at(mailbox, func(m *box) {
		for _, msg := range m.messages {
			c := *msg
			c.Flags = slices.Clone(msg.Flags)
			list = append(list, c)
		}
	})
	return list
}

// SetFlags replaces the flags of a message.
func (srv *Server) SetFlags(mailbox string, uid uint32, flags ...string) {
	srv.at(mailbox, func(m *box) {
		msg := m.find(uid)
		msg.Flags = flags
		m.touch(msg)
	})
}

// Move moves a message to another mailbox.
func (srv *Server) Move(mailbox string, uid uint32, dest string) {
	var moved Message
	srv.at(mailbox, func(m *box) {
		moved = *m.find(uid)
		m.remove(uid)
	})
	srv.at(dest, func(m *box) { m.add(moved) })
}

// Expunge removes a message.
func (srv *Server) Expunge(mailbox string, uid uint32) {
	srv.at(mailbox, func(m *box) { m.remove(uid) })
}

// Renumber gives the messages each other's UIDs, in the opposite order. UIDNEXT and
// mod-sequences stay, so that nothing but another UIDVALIDITY tells of it.
func (srv *Server) Renumber(mailbox string) {
	srv.at(mailbox, func(m *box) {
		slices.Reverse(m.messages)
		for i, j := 0, len(m.messages)-1; i < j; i, j = i+1, j-1 {
			a, b := m.messages[i], m.messages[j]
			a.UID, b.UID = b.UID, a.UID
		}
	})
}
