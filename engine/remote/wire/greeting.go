package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mailmoor/state"
)

// establish brings a fresh transport to the authenticated state.
func (s *session) establish(ctx context.Context) error {
	if s.cfg.Security == Implicit {
		conn, err := protect(ctx, s.cfg, s.raw)
		if err != nil {
			return err
		}
		s.use(conn)
	}
	greeting, err := s.greet()
	if err != nil {
		return err
	}
	if s.cfg.Security == StartTLS {
		if err := s.upgrade(ctx, greeting); err != nil {
			return err
		}
	}
	if err := s.askCapabilities(ctx); err != nil {
		return err
	}
	if greeting.cond != "PREAUTH" {
		if err := s.login(ctx); err != nil {
			return err
		}
		if err := s.askCapabilities(ctx); err != nil {
			return err
		}
	}
	s.caps = s.caps.without(s.cfg.Hide)
	return s.identify()
}

// greet reads the server's greeting, OK or PREAUTH. RFC 9051, section 7.1.
func (s *session) greet() (status, error) {
	doing := state.Textf("connect to %s", s.cfg.address())
	s.expect()
	line, err := s.readLine()
	if err != nil {
		return status{}, err
	}
	if strings.HasPrefix(line, "HTTP/") || strings.HasPrefix(line, "<") {
		return status{}, captivePortal(s.cfg)
	}
	st, is := s.note(line)
	switch {
	case is && st.tag == "*" && st.cond == "BYE":
		return status{}, problem(state.CauseNetwork, doing, "try again later",
			fmt.Errorf("the server refused the connection: %q", s.said(st)))
	case is && st.tag == "*" && (st.cond == "OK" || st.cond == "PREAUTH"):
		return st, nil
	}
	return status{}, problem(state.CauseNetwork, doing, "check host and port",
		fmt.Errorf("this is not an IMAP server; it said %q", shownLine(line)))
}

// upgrade goes from plain text to TLS. There is no way on without it.
func (s *session) upgrade(ctx context.Context, greeting status) error {
	doing := state.Textf("start TLS with %s", s.cfg.address())
	const implicit = `set tls = "implicit" (port 993) if the server has it`
	if greeting.cond == "PREAUTH" {
		// STARTTLS is not allowed any more in this state, so somebody in
		// between could have forged the greeting to prevent it.
		return problem(state.CauseConfig, doing, implicit,
			errors.New("the server claims that the login is already done, on an unprotected connection"))
	}
	if err := s.askCapabilities(ctx); err != nil {
		return err
	}
	if !s.caps.Has("STARTTLS") {
		return problem(state.CauseConfig, doing, implicit, errors.New("the server does not offer STARTTLS"))
	}
	st, err := s.run(exchange{line: "STARTTLS"})
	if err != nil {
		return err
	}
	if st.cond != "OK" {
		return problem(state.CauseConfig, doing, implicit, fmt.Errorf("the server answered: %q", s.said(st)))
	}
	if s.in.Buffered() > 0 {
		// Whatever follows the OK in plain text was not said by the holder of
		// the certificate. CVE-2011-0411 and its many relatives.
		return problem(state.CauseTLS, doing, "somebody between this computer and the server changes the traffic",
			errors.New("plain text follows the answer to STARTTLS"))
	}
	conn, err := protect(ctx, s.cfg, s.raw)
	if err != nil {
		return err
	}
	s.use(conn)
	// What was said before TLS may be forged. RFC 9051, section 6.2.1.
	s.caps, s.bye = nil, ""
	return nil
}

// identify tells the server who we are and does not wait for the answer, which
// the pump drops. Some servers open no mailbox without it (coremail, 2026).
func (s *session) identify() error {
	if !s.caps.Has("ID") {
		return nil
	}
	s.ownTag = "HID"
	version, ok := quote(s.cfg.Version)
	if !ok || s.cfg.Version == "" {
		version = "NIL"
	}
	line := s.ownTag + ` ID ("name" "mailmoor" "version" ` + version + ")"
	return s.write(line, line)
}
