package wire

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"mailmoor/state"
)

// handshakeLineMax and handshakeLinesMax bound what a server can say before
// the login is done.
const (
	handshakeLineMax  = 64 << 10
	handshakeLinesMax = 1000
	readBufferBytes   = 32 << 10
)

// session is the connection before go-imap gets it.
type session struct {
	cfg Config
	raw net.Conn
	in  *bufio.Reader
	tag int
	// until is when the answer that is due must be complete.
	until time.Time
	// caps is nil while the server has not announced any under the present
	// circumstances: STARTTLS and the login each void what was said before.
	caps Capabilities
	bye  string
	// secrets are cut out of everything that the server says.
	secrets *strings.Replacer
	// ownTag is the tag of a command whose answer the pump will drop.
	ownTag string
}

func newSession(cfg Config, raw net.Conn) *session {
	s := &session{cfg: cfg, secrets: strings.NewReplacer()}
	s.use(raw)
	return s
}

// use makes raw the transport. Nothing read from the former one survives.
func (s *session) use(raw net.Conn) {
	s.raw = raw
	s.in = bufio.NewReaderSize(patientReader{s}, readBufferBytes)
}

// patientReader gives every read the whole time again, up to the end of the
// session's patience.
type patientReader struct{ s *session }

func (r patientReader) Read(p []byte) (int, error) {
	deadline := time.Now().Add(r.s.cfg.ProgressTimeout)
	if r.s.until.Before(deadline) {
		deadline = r.s.until
	}
	if err := r.s.raw.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return r.s.raw.Read(p)
}

// expect starts the time within which an answer must be complete.
func (s *session) expect() {
	s.until = time.Now().Add(handshakeTimeouts * s.cfg.ProgressTimeout)
}

// hush keeps the secret, in the forms in which it is sent, out of traces and
// errors, should the server repeat it.
func (s *session) hush(forms ...string) {
	var pairs []string
	for _, form := range forms {
		if form != "" {
			pairs = append(pairs, form, "{secret}")
		}
	}
	s.secrets = strings.NewReplacer(pairs...)
}

// readLine returns the next line without its end.
func (s *session) readLine() (string, error) {
	line, err := readLine(s.in, func([]byte) int { return handshakeLineMax })
	if err != nil {
		return "", s.broken(err)
	}
	s.cfg.trace(false, func() string { return s.secrets.Replace(line) })
	return line, nil
}

// write sends line; shown is what the trace may see of it.
func (s *session) write(line, shown string) error {
	s.cfg.trace(true, func() string { return shown })
	err := s.raw.SetWriteDeadline(time.Now().Add(s.cfg.ProgressTimeout))
	if err == nil {
		_, err = io.WriteString(s.raw, line+"\r\n")
	}
	if err != nil {
		s.lastWords()
		return s.broken(err)
	}
	return nil
}

// lastWords reads what the server said before it hung up.
func (s *session) lastWords() {
	for range handshakeLinesMax {
		line, err := s.readLine()
		if err != nil {
			return
		}
		s.note(line)
	}
}

// exchange is one command of the handshake.
type exchange struct {
	line  string
	shown string // line without secrets; empty means line itself
	// next answers a continuation request; it returns what to send and what to
	// show of it. nil means that none is expected.
	next func(challenge string) (line, shown string, err error)
}

// run sends the command and returns its tagged answer. Capabilities that come
// with it are taken over.
func (s *session) run(e exchange) (status, error) {
	s.expect()
	s.tag++
	tag := "H" + strconv.Itoa(s.tag)
	if e.shown == "" {
		e.shown = e.line
	}
	if err := s.write(tag+" "+e.line, tag+" "+e.shown); err != nil {
		return status{}, err
	}
	for range handshakeLinesMax {
		line, err := s.readLine()
		if err != nil {
			return status{}, err
		}
		if challenge, is := strings.CutPrefix(line, "+"); is {
			if err := s.proceed(e, strings.TrimPrefix(challenge, " ")); err != nil {
				return status{}, err
			}
			continue
		}
		if st, is := s.note(line); is && st.tag == tag {
			return st, nil
		}
	}
	return status{}, problem(state.CauseNetwork, state.Textf("talk to %s", s.cfg.address()), "", errors.New("the server talks without answering"))
}

func (s *session) proceed(e exchange, challenge string) error {
	if e.next == nil {
		return nil // Nobody waits for it.
	}
	line, shown, err := e.next(challenge)
	if err != nil {
		// A lone asterisk cancels the exchange; the server answers BAD.
		// RFC 9051, section 6.2.2.
		line, shown = "*", "*"
	}
	return s.write(line, shown)
}

// note takes over what the line says of the session. It returns the line's
// status when it is one.
func (s *session) note(line string) (status, bool) {
	if names, is := cutPrefixFold(line, "* CAPABILITY "); is {
		s.caps = parseCapabilities(names)
		return status{}, false
	}
	st, is := parseStatus(line)
	if !is {
		return status{}, false
	}
	if st.code == "CAPABILITY" {
		s.caps = parseCapabilities(st.args)
	}
	if st.cond == "BYE" {
		s.bye = s.said(st)
	}
	return st, true
}

// said is the server's word as messages show it.
func (s *session) said(st status) string {
	return printable(s.secrets.Replace(st.said()))
}

// broken explains why nothing more can be read or written.
func (s *session) broken(err error) error {
	doing := state.Textf("talk to %s", s.cfg.address())
	switch {
	case s.bye != "":
		return problem(state.CauseNetwork, doing, "try again later", fmt.Errorf("the server hung up: %q", s.bye))
	case errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(s.until):
		return problem(state.CauseNetwork, doing, "try again later",
			fmt.Errorf("the server's answer was not complete after %s", handshakeTimeouts*s.cfg.ProgressTimeout))
	case errors.Is(err, os.ErrDeadlineExceeded):
		hint := state.Text("check the account's port")
		if s.cfg.Security != Implicit {
			hint = `check the account's port; on port 993 it is tls = "implicit"`
		}
		return problem(state.CauseNetwork, doing, hint, fmt.Errorf("the server said nothing for %s", s.cfg.ProgressTimeout))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(state.CauseNetwork, doing, "", fmt.Errorf("the server hung up: %w", io.ErrUnexpectedEOF))
	}
	return problem(state.CauseNetwork, doing, "", err)
}

// askCapabilities asks for them unless they are known.
func (s *session) askCapabilities(context.Context) error {
	if s.caps != nil {
		return nil
	}
	st, err := s.run(exchange{line: "CAPABILITY"})
	if err != nil {
		return err
	}
	if st.cond != "OK" || s.caps == nil {
		return problem(state.CauseNetwork, state.Textf("ask %s for its capabilities", s.cfg.address()), "",
			fmt.Errorf("the server answered: %q", s.said(st)))
	}
	return nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
