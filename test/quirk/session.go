package quirk

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Command is one command of a client.
type Command struct {
	Tag string
	// Name is in capitals, "UID FETCH" for a UID command.
	Name string
	Args []Value
	// Number counts the commands of this connection from 1.
	Number int
	// Mailbox is the one that the command works in or on: the open one, or the one
	// that it names.
	Mailbox string
	// ReadOnly is true while the open mailbox was opened by EXAMINE.
	ReadOnly bool

	srv *Server
	// messages are those that the command's set names, in the open mailbox.
	messages []*Message
}

// Text returns the n-th argument, empty if there is none.
func (c *Command) Text(n int) string {
	if n >= len(c.Args) {
		return ""
	}
	return c.Args[n].Text
}

// Names reports whether the command is about the message of the open mailbox.
func (c *Command) Names(uid uint32) bool {
	for _, m := range c.messages {
		if m.UID == uid {
			return true
		}
	}
	return false
}

// opened returns the mailbox that is open after the command, nil if none is.
func (c *Command) opened() *box {
	switch c.Name {
	case "STATUS", "APPEND", "CREATE", "UNSELECT":
		return nil
	}
	return c.srv.lookup(c.Mailbox)
}

// shown returns the messages that clients see in the mailbox that is open.
func (c *Command) shown() []*Message {
	if m := c.opened(); m != nil {
		return c.srv.visible(m)
	}
	return nil
}

// Answer is what the server says to a command.
type Answer struct {
	// Untagged are whole responses without their last line end.
	Untagged []string
	// Status is the tagged line without the tag, such as "OK done".
	Status string
	// Cut is sent behind the untagged responses as it is, without a line end.
	Cut string
	// HangUp ends the connection instead of the tagged line.
	HangUp bool
	// Silent leaves the tagged line out and goes on.
	Silent bool
	// Drip sends every byte by itself, with a pause after each.
	Drip  bool
	Pause time.Duration
	// Forever is sent instead of the tagged line, again and again with the pause
	// before it, until the client has enough.
	Forever string
}

func (a *Answer) add(line string) { a.Untagged = append(a.Untagged, line) }

// no is the answer that refuses a command.
func no(text string) *Answer { return &Answer{Status: "NO " + text} }

// bad is the answer to what the server does not understand.
func bad() *Answer { return &Answer{Status: "BAD I do not understand that"} }

// session is one connection of a client.
type session struct {
	srv  *Server
	conn net.Conn
	in   *bufio.Reader
	// number is that of the last command.
	number   int
	loggedIn bool
	// condStore is true from the first command on that shows interest in it.
	condStore bool
	// open is the selected mailbox. view are the messages as the client knows
	// them, by sequence number.
	open     *box
	readOnly bool
	view     []uint32
}

func newSession(srv *Server, conn net.Conn) *session {
	return &session{srv: srv, conn: conn, in: bufio.NewReader(conn)}
}

// serve talks to the client until one of the two has enough. How the connection
// ends is the client's or the test's doing, so no error is kept.
func (s *session) serve() {
	s.srv.mu.Lock()
	greeting := &Answer{Status: "OK [CAPABILITY " + s.srv.capabilities() + "] ready"}
	s.srv.mu.Unlock()
	if !s.send("*", s.rewritten(&Command{Name: "greeting", srv: s.srv}, greeting)) {
		return
	}
	for {
		text, ok := s.read()
		if !ok {
			return
		}
		c, err := s.parse(text)
		if err != nil {
			if !s.send(c.Tag, bad()) {
				return
			}
			continue
		}
		if c.Name == "LOGOUT" {
			s.send(c.Tag, &Answer{Untagged: []string{"* BYE see you"}, Status: "OK done"})
			return
		}
		if !s.send(c.Tag, s.answer(c)) {
			return
		}
	}
}

var literalPattern = regexp.MustCompile(`\{(\d{1,9})(\+?)\}\r\n$`)

// read reads one command with its literals.
func (s *session) read() (string, bool) {
	var b strings.Builder
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return "", false
		}
		b.WriteString(line)
		match := literalPattern.FindStringSubmatch(line)
		if match == nil {
			return strings.TrimSuffix(b.String(), "\r\n"), true
		}
		if match[2] == "" {
			// A quirk may refuse the command before its literal was sent.
			if c, err := s.parse(strings.TrimSuffix(b.String(), line) + line[:strings.LastIndexByte(line, '{')]); err == nil {
				if a := s.refusal(c); a != nil {
					if !s.send(c.Tag, a) {
						return "", false
					}
					b.Reset()
					continue
				}
			}
			if !s.put("+ go ahead\r\n") {
				return "", false
			}
		}
		size, _ := strconv.Atoi(match[1]) // the pattern lets only numbers pass
		if _, err := io.CopyN(&b, s.in, int64(size)); err != nil {
			return "", false
		}
	}
}

// parse reads a command. Of one that it cannot read it returns the tag.
func (s *session) parse(text string) (*Command, error) {
	tag, rest, _ := strings.Cut(text, " ")
	c := &Command{Tag: tag, srv: s.srv, Number: s.number + 1, ReadOnly: s.readOnly}
	values, err := parseValues(rest)
	if err != nil || len(values) == 0 {
		return c, errSyntax
	}
	c.Name, c.Args = strings.ToUpper(values[0].Text), values[1:]
	if c.Name == "UID" && len(c.Args) > 0 {
		c.Name, c.Args = "UID "+strings.ToUpper(c.Args[0].Text), c.Args[1:]
	}
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	switch c.Name {
	case "SELECT", "EXAMINE", "STATUS", "APPEND", "CREATE":
		c.Mailbox = c.Text(0)
	default:
		if s.open != nil {
			c.Mailbox = s.open.name
		}
	}
	return c, s.resolve(c)
}

// send writes the answer. It returns false when the connection is over.
func (s *session) send(tag string, a *Answer) bool {
	var b strings.Builder
	for _, line := range a.Untagged {
		b.WriteString(line + "\r\n")
	}
	b.WriteString(a.Cut)
	if !a.HangUp && !a.Silent && a.Forever == "" {
		b.WriteString(tag + " " + a.Status + "\r\n")
	}
	if !s.write(b.String(), a) || a.HangUp {
		return false
	}
	for a.Forever != "" {
		time.Sleep(a.Pause)
		if !s.put(a.Forever) {
			return false
		}
	}
	return true
}

// write sends text in the way of the answer.
func (s *session) write(text string, a *Answer) bool {
	if !a.Drip {
		return s.put(text)
	}
	for i := range len(text) {
		if !s.put(text[i : i+1]) {
			return false
		}
		time.Sleep(a.Pause)
	}
	return true
}

// put sends text at once.
func (s *session) put(text string) bool {
	_, err := io.WriteString(s.conn, text)
	return err == nil
}

// refusal returns the answer of a quirk that does not let the command happen.
func (s *session) refusal(c *Command) *Answer {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	for _, q := range s.srv.quirks {
		if q.Instead == nil {
			continue
		}
		if a := q.Instead(c); a != nil {
			s.srv.effects[q.Name]++
			return a
		}
	}
	return nil
}

// rewritten lets the quirks have their way with an answer.
func (s *session) rewritten(c *Command, a *Answer) *Answer {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	for _, q := range s.srv.quirks {
		if q.After == nil {
			continue
		}
		before := *a
		before.Untagged = slices.Clone(a.Untagged)
		q.After(c, a)
		if !reflect.DeepEqual(before, *a) {
			s.srv.effects[q.Name]++
		}
	}
	return a
}

// answer carries a command out.
func (s *session) answer(c *Command) *Answer {
	s.number++
	s.srv.note(c)
	if a := s.refusal(c); a != nil {
		return a
	}
	switch {
	case c.Name == "IDLE" && s.open != nil:
		return s.idle(c)
	case c.Name == "AUTHENTICATE" && len(c.Args) == 1:
		// Without SASL-IR the client waits to be asked.
		if !s.put("+ \r\n") {
			return &Answer{HangUp: true}
		}
		line, err := s.in.ReadString('\n')
		if err != nil {
			return &Answer{HangUp: true}
		}
		c.Args = append(c.Args, Value{Text: strings.TrimSpace(line)})
	}
	s.srv.mu.Lock()
	a := s.run(c)
	s.srv.mu.Unlock()
	return s.rewritten(c, a)
}

// run carries out a command under the server's mutex.
func (s *session) run(c *Command) *Answer {
	switch c.Name {
	case "CAPABILITY":
		return &Answer{Untagged: []string{"* CAPABILITY " + s.srv.capabilities()}, Status: "OK done"}
	case "NOOP":
		return s.withEvents(&Answer{Status: "OK done"})
	case "LOGIN":
		return s.login(c.Text(0), c.Text(1))
	case "AUTHENTICATE":
		return s.authenticate(c)
	}
	if !s.loggedIn {
		return bad()
	}
	if f := everywhere[c.Name]; f != nil {
		return f(s, c)
	}
	if f := inMailbox[c.Name]; f != nil && s.open != nil {
		return f(s, c)
	}
	return bad()
}

// everywhere are the commands that need no open mailbox, inMailbox the others.
var everywhere = map[string]func(*session, *Command) *Answer{
	"ID":        func(*session, *Command) *Answer { return &Answer{Untagged: []string{"* ID NIL"}, Status: "OK done"} },
	"ENABLE":    (*session).enable,
	"NAMESPACE": (*session).namespace,
	"LIST":      (*session).list,
	"STATUS":    (*session).status,
	"SELECT":    (*session).selectMailbox,
	"EXAMINE":   (*session).selectMailbox,
	"CREATE":    (*session).create,
	"SUBSCRIBE": func(*session, *Command) *Answer { return &Answer{Status: "OK done"} },
	"APPEND":    (*session).append,
}

var inMailbox = map[string]func(*session, *Command) *Answer{
	"UNSELECT":    (*session).unselect,
	"FETCH":       (*session).fetch,
	"UID FETCH":   (*session).fetch,
	"UID STORE":   (*session).store,
	"UID COPY":    (*session).copyOrMove,
	"UID MOVE":    (*session).copyOrMove,
	"UID EXPUNGE": (*session).expunge,
	"UID SEARCH":  (*session).search,
}

// authenticate answers AUTHENTICATE PLAIN. RFC 4616.
func (s *session) authenticate(c *Command) *Answer {
	raw, err := base64.StdEncoding.DecodeString(c.Text(1))
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(parts) != 3 || !strings.EqualFold(c.Text(0), "PLAIN") {
		return bad()
	}
	return s.login(parts[1], parts[2])
}

func (s *session) login(user, password string) *Answer {
	if user != User || password != Password {
		return no("[AUTHENTICATIONFAILED] wrong name or password")
	}
	s.loggedIn = true
	return &Answer{Status: "OK [CAPABILITY " + s.srv.capabilities() + "] welcome"}
}

// idle waits for the client's DONE. RFC 2177. What happened meanwhile is told
// then: clients must not rely on more.
func (s *session) idle(c *Command) *Answer {
	if !s.put("+ idling\r\n") {
		return &Answer{HangUp: true}
	}
	if line, err := s.in.ReadString('\n'); err != nil || !strings.EqualFold(strings.TrimSpace(line), "DONE") {
		return &Answer{HangUp: true}
	}
	s.srv.mu.Lock()
	a := s.withEvents(&Answer{Status: "OK done"})
	s.srv.mu.Unlock()
	return s.rewritten(c, a)
}
