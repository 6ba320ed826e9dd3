package sim

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mailmoor/engine"
	"mailmoor/state"
)

// ServerOptions describes a server. The zero value is one that can do
// everything and limits nothing.
type ServerOptions struct {
	// World is shared with the other fakes of the test; nil gives a new one.
	World *World
	// NoCondstore leaves out mod-sequences. RFC 7162.
	NoCondstore bool
	// NoUIDPlus leaves out APPENDUID, COPYUID and UID EXPUNGE. RFC 4315.
	NoUIDPlus bool
	// NoMove leaves out UID MOVE, so that moves are copies. RFC 6851.
	NoMove bool
	// NoStatus leaves STATUS values out of the list.
	NoStatus bool
	// NoListing makes it impossible to get a complete list of UIDs, so that
	// absences cannot be proven.
	NoListing bool
	// LandAfterLoss makes the rest of a batch of uploads arrive although the
	// connection was lost in its middle, as with pipelined commands.
	LandAfterLoss bool
	// Permanent are the flags that the server stores; zero means all.
	Permanent state.Flags
	// NoNewKeywords leaves \* out of PERMANENTFLAGS, so that only Keywords are stored.
	NoNewKeywords bool
	Keywords      state.Keywords
	// RefusedKeywords are refused when a client adds them.
	RefusedKeywords state.Keywords
	// SizeOff is by how much the server is wrong about the size of every message.
	SizeOff int64
	// Stored returns the bytes in which an uploaded message is stored, nil for one that is
	// refused; nil means as they come.
	Stored func(body []byte) []byte
	// QuotaBytes and MessageBytesMax are limits; zero means none.
	QuotaBytes, MessageBytesMax int64
}

// Server is the account on the server. Its own methods act as another client
// of the user would; Connect gives the engine's view. Any number of goroutines
// may use it.
type Server struct {
	world *World

	mu        sync.Mutex
	opts      ServerOptions
	mailboxes map[string]*mailbox
	// generations counts the UIDVALIDITY values given so far.
	generations uint32
	// drops counts how often all connections were cut.
	drops int
	// commands are the changing commands that connections sent.
	commands []string
}

// delimiter separates the levels of mailbox names.
const delimiter = "/"

// firstUIDValidity is the UIDVALIDITY of the first mailbox.
const firstUIDValidity = 1_700_000_000

// Message is a message in a mailbox of the server.
type Message struct {
	UID      state.UID
	Flags    state.Flags
	Keywords state.Keywords
	Date     int64 // INTERNALDATE, Unix seconds
	Body     []byte
}

type message struct {
	Message
	modSeq state.ModSeq
}

type mailbox struct {
	name        string
	role        state.Role
	readOnly    bool
	subscribed  bool
	uidValidity uint32
	uidNext     state.UID
	modSeq      state.ModSeq
	// shape counts arrivals and removals, by which a session notices that
	// EXISTS or EXPUNGE came in the middle of a listing.
	shape    int
	messages []*message // by UID
}

// NewServer returns a server with an empty INBOX.
func NewServer(o ServerOptions) *Server {
	if o.World == nil {
		o.World = NewWorld(0)
	}
	s := &Server{world: o.World, opts: o, mailboxes: map[string]*mailbox{}}
	s.addMailbox("INBOX", state.RoleInbox)
	return s
}

// Connect returns a new connection.
func (s *Server) Connect(ctx context.Context) (engine.Remote, error) {
	c := &conn{server: s, life: s.world.lifetime()}
	s.mu.Lock()
	c.drops = s.drops
	s.mu.Unlock()
	leave, err := c.enter(ctx, "connect")
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := c.step("remote.connect", "", false, "connect"); err != nil {
		return nil, err
	}
	return c, nil
}

// addMailbox adds a mailbox with a UIDVALIDITY that none had before.
func (s *Server) addMailbox(name string, role state.Role) *mailbox {
	s.generations++
	m := &mailbox{
		name: name, role: role, uidValidity: firstUIDValidity + s.generations, uidNext: 1, modSeq: 1,
	}
	s.mailboxes[name] = m
	return m
}

// names returns the names of the mailboxes in order.
func (s *Server) names() []string {
	names := make([]string, 0, len(s.mailboxes))
	for name := range s.mailboxes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// used returns the bytes of all messages.
func (s *Server) used() int64 {
	var n int64
	for _, m := range s.mailboxes {
		for _, msg := range m.messages {
			n += int64(len(msg.Body))
		}
	}
	return n
}

// permanent returns the flags that the server stores.
func (s *Server) permanent() state.Flags {
	if s.opts.Permanent == 0 {
		return state.AllFlags
	}
	return s.opts.Permanent
}

// rule returns which keywords the server stores.
func (s *Server) rule() state.KeywordRule {
	return state.KeywordRule{Any: !s.opts.NoNewKeywords, Listed: s.opts.Keywords}
}

// cursor returns what STATUS and SELECT say of the mailbox.
func (s *Server) cursor(m *mailbox) state.Cursor {
	c := state.Cursor{UIDValidity: m.uidValidity, UIDNext: m.uidNext, Messages: uint32(len(m.messages))}
	if !s.opts.NoCondstore {
		c.ModSeq = m.modSeq
	}
	return c
}

// list returns the mailboxes and the names above them, ordered by name.
func (s *Server) list() []state.RemoteMailbox {
	var list []state.RemoteMailbox
	listed := map[string]bool{}
	for _, name := range s.names() {
		for i := range name {
			if parent := name[:i]; strings.HasPrefix(name[i:], delimiter) && s.mailboxes[parent] == nil && !listed[parent] {
				listed[parent] = true
				list = append(list, state.RemoteMailbox{Name: parent, Delimiter: '/', NoSelect: true})
			}
		}
		m := s.mailboxes[name]
		line := state.RemoteMailbox{Name: name, Delimiter: '/', Role: m.role}
		if !s.opts.NoStatus {
			line.Status = s.cursor(m)
		}
		list = append(list, line)
	}
	slices.SortFunc(list, func(a, b state.RemoteMailbox) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// add appends a message under the next UID, with the flags that are stored.
func (s *Server) add(m *mailbox, msg Message) state.UID {
	m.modSeq++
	m.shape++
	msg.UID = m.uidNext
	msg.Flags &= s.permanent()
	msg.Keywords = s.rule().Of(msg.Keywords)
	msg.Body = bytes.Clone(msg.Body)
	m.uidNext++
	m.messages = append(m.messages, &message{Message: msg, modSeq: m.modSeq})
	return msg.UID
}

// find returns the message and its index, or nil.
func (m *mailbox) find(uid state.UID) (int, *message) {
	i, found := slices.BinarySearchFunc(m.messages, uid, func(msg *message, uid state.UID) int {
		return cmp.Compare(msg.UID, uid)
	})
	if !found {
		return i, nil
	}
	return i, m.messages[i]
}

// setFlags gives a message its flags. Flags that stay are no change: the
// mod-sequence does not move.
func (m *mailbox) setFlags(msg *message, flags state.Flags) {
	if msg.Flags == flags {
		return
	}
	m.modSeq++
	msg.Flags, msg.modSeq = flags, m.modSeq
}

// setKeywords is setFlags for keywords.
func (m *mailbox) setKeywords(msg *message, keywords state.Keywords) {
	if msg.Keywords.Equal(keywords) {
		return
	}
	m.modSeq++
	msg.Keywords, msg.modSeq = keywords, m.modSeq
}

// remove removes the message at the index.
func (m *mailbox) remove(i int) {
	m.modSeq++
	m.shape++
	m.messages = slices.Delete(m.messages, i, i+1)
}

// within returns the messages of the set that exist, by UID. It walks the
// messages, not the set, because a set may reach far beyond what exists.
func (m *mailbox) within(uids state.UIDSet) []*message {
	var found []*message
	for _, msg := range m.messages {
		if uids.Contains(msg.UID) {
			found = append(found, msg)
		}
	}
	return found
}

// clone returns an independent copy.
func (m *mailbox) clone() *mailbox {
	c := *m
	c.messages = make([]*message, len(m.messages))
	for i, msg := range m.messages {
		copied := *msg
		c.messages[i] = &copied
	}
	return &c
}

// String describes the mailbox for a failing test.
func (m *mailbox) String() string {
	return fmt.Sprintf("%s: UIDVALIDITY %d, UIDNEXT %d, %d messages", m.name, m.uidValidity, m.uidNext, len(m.messages))
}
