package lab

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"
)

// session is one connection through a Proxy. One goroutine carries requests,
// another responses; they share what mu guards.
type session struct {
	proxy      *Proxy
	number     int
	fromClient *bufio.Reader
	toClient   *bufio.Writer
	fromServer *bufio.Reader
	toServer   *bufio.Writer
	mu         sync.Mutex
	refused    map[string]bool // tags whose answer becomes BAD
	waiting    string          // tag that waits for "+"
	answered   chan bool       // true for "+", false for the tagged answer
	over       bool
}

// requests carries commands to the server.
func (s *session) requests() error {
	for {
		line, err := readLine(s.fromClient)
		if err != nil {
			return err
		}
		if err := s.request(line); err != nil {
			return err
		}
	}
}

// request carries one command whose first line has been read.
func (s *session) request(line string) error {
	tag, name, args := splitCommand(line)
	if name == "" {
		// DONE ends IDLE; anything else here answers a SASL challenge and is
		// not for the record.
		if strings.EqualFold(tag, "DONE") {
			s.proxy.add(Command{Conn: s.number, Name: "DONE", Line: "DONE"})
		}
		return s.sendRequest(line)
	}
	refused := s.proxy.hiding.refuses(name, args)
	record := s.proxy.add(Command{s.number, name, safeLine(name, args), refused})
	if refused {
		return s.refuse(tag, "XMASKED", line)
	}
	line = s.proxy.hiding.command(name, line)
	for {
		l, found := literalAt(line)
		if !found {
			return s.sendRequest(line)
		}
		accepted, err := s.announce(tag, line, l)
		if err != nil || !accepted {
			return err
		}
		if err := relay(s.toServer, s.fromClient, l.size); err != nil {
			return err
		}
		if line, err = readLine(s.fromClient); err != nil {
			return err
		}
		refused := s.proxy.hiding.refuses(name, line)
		s.proxy.more(record, line, refused)
		if refused {
			return s.refuse(tag, ")(", line)
		}
	}
}

// refuse sends the server something it must reject instead of the line, so
// that the answer comes in its turn, and skips what the client sends with it.
func (s *session) refuse(tag, instead, line string) error {
	s.mu.Lock()
	s.refused[tag] = true
	s.mu.Unlock()
	if instead == "XMASKED" {
		instead = tag + " " + instead
	}
	if err := s.sendRequest(instead); err != nil {
		return err
	}
	for {
		l, found := literalAt(line)
		if !found || !l.nonSync {
			return nil // a client that waits for "+" gets BAD and stops there
		}
		if _, err := io.CopyN(io.Discard, s.fromClient, l.size); err != nil {
			return err
		}
		var err error
		if line, err = readLine(s.fromClient); err != nil {
			return err
		}
	}
}

// announce sends a line that ends in a literal and reports whether the literal
// may follow.
func (s *session) announce(tag, line string, l literal) (accepted bool, err error) {
	if l.nonSync {
		return true, s.sendRequest(line)
	}
	answered := make(chan bool, 1)
	s.mu.Lock()
	over := s.over
	s.waiting, s.answered = tag, answered
	s.mu.Unlock()
	if over {
		return false, io.ErrUnexpectedEOF
	}
	if err := errors.Join(s.sendRequest(line), s.toServer.Flush()); err != nil {
		return false, err
	}
	return <-answered, nil
}

// answer tells a request that waits for "+" what came instead.
func (s *session) answer(tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered != nil && (tag == "+" || tag == s.waiting) {
		s.answered <- tag == "+"
		s.answered = nil
	}
}

// release ends the wait for a "+" that cannot come any more.
func (s *session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.answered != nil {
		s.answered <- false
		s.answered = nil
	}
}

func (s *session) sendRequest(line string) error { return writeLine(s.toServer, line) }

// responses carries answers to the client.
func (s *session) responses() error {
	for {
		line, err := readLine(s.fromServer)
		if err != nil {
			return err
		}
		if err := s.response(line); err != nil {
			return err
		}
	}
}

// response carries one response whose first line has been read.
func (s *session) response(line string) error {
	tag, _, _ := strings.Cut(line, " ")
	if tag != "*" {
		if s.wasRefused(tag) {
			line = tag + " BAD Unknown command or argument"
		}
		defer s.answer(tag)
	}
	if tag == "+" {
		return writeLine(s.toClient, line)
	}
	if isStatus(line) {
		line, send := s.proxy.hiding.status(line)
		if !send {
			return nil
		}
		return writeLine(s.toClient, line)
	}
	return s.data(line)
}

func (s *session) wasRefused(tag string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer delete(s.refused, tag)
	return s.refused[tag]
}

// data carries an untagged response that may hold literals.
func (s *session) data(line string) error {
	kind := answerType(line)
	out := s.toClient
	if s.proxy.hiding.drops(kind) {
		out = bufio.NewWriter(io.Discard)
	}
	for first := true; ; first = false {
		l, more := literalAt(line)
		hidden := s.proxy.hiding.answer(kind, line)
		if first && kind == "FETCH" && strings.HasSuffix(hidden, "FETCH ()") {
			return nil // nothing else was in it
		}
		if err := writeLine(out, hidden); err != nil || !more {
			return err
		}
		if err := relay(out, s.fromServer, l.size); err != nil {
			return err
		}
		var err error
		if line, err = readLine(s.fromServer); err != nil {
			return err
		}
	}
}

func writeLine(w *bufio.Writer, line string) error {
	_, err := w.WriteString(line + "\r\n")
	return err
}

// relay copies the bytes of a literal. It hides the writer's ReadFrom, which a
// flush within the read would upset.
func relay(to *bufio.Writer, from io.Reader, size int64) error {
	_, err := io.CopyN(struct{ io.Writer }{to}, from, size)
	return err
}

// flushing is a reader that sends what has been written for the other side
// before it waits for more. So lines that come together go out together.
type flushing struct {
	io.Reader
	out *bufio.Writer
}

// Read implements io.Reader.
func (f flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}
