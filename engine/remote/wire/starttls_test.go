package wire

import (
	"testing"

	"mailmoor/state"
)

// beginTLS plays a server up to the answer to STARTTLS.
func beginTLS(s *server, announced string) {
	s.send("* OK [CAPABILITY IMAP4rev1 " + announced + "] hello")
	tag := s.expect("STARTTLS")
	s.send(tag + " OK [CAPABILITY IMAP4rev1 XINJECTED] begin")
}

// letIn is the server's part once TLS is up.
func letIn(s *server) {
	s.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN")
	tag := s.expect("AUTHENTICATE PLAIN")
	s.send("+ ")
	if got := s.line(); got != "AHUxAGh1bnRlcjI=" {
		s.t.Errorf("credentials sent: %q", got)
	}
	s.send(tag + " OK welcome")
	s.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 MOVE XREAL")
	s.drain()
}

func TestStartTLS(t *testing.T) {
	known := newAuthority(t)
	cert := known.issue(t, 0, "127.0.0.1")
	tests := []struct {
		name  string
		run   script
		cause state.Cause
		words string
		hint  string
	}{
		{name: "good", run: func(s *server) {
			beginTLS(s, "STARTTLS LOGINDISABLED XFORGED")
			secured(cert, 0, letIn)(s)
		}},
		{name: "asked for", run: func(s *server) {
			s.send("* OK hello")
			s.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS")
			s.send(s.expect("STARTTLS") + " OK begin")
			secured(cert, 0, letIn)(s)
		}},
		{
			name: "injection", cause: state.CauseTLS, words: "plain text follows", hint: "changes the traffic",
			run: func(s *server) {
				s.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hello")
				s.raw(s.expect("STARTTLS") + " OK begin\r\n* CAPABILITY IMAP4rev1 XEVIL\r\n")
				s.drain()
			},
		},
		{
			name: "stripped", cause: state.CauseConfig, words: "does not offer STARTTLS", hint: "implicit",
			run: func(s *server) { s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello"); s.drain() },
		},
		{
			name: "refused", cause: state.CauseConfig, words: "BAD not today", hint: "implicit",
			run: func(s *server) {
				s.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hello")
				s.send(s.expect("STARTTLS") + " BAD not today")
				s.drain()
			},
		},
		{
			name: "already logged in", cause: state.CauseConfig, words: "login is already done", hint: "implicit",
			run: func(s *server) { s.send("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello"); s.drain() },
		},
		{
			name: "wrong certificate", cause: state.CauseTLS, words: "does not know",
			run: func(s *server) {
				beginTLS(s, "STARTTLS")
				secured(newAuthority(s.t).issue(s.t, 0, "127.0.0.1"), 0, welcome)(s)
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Host, cfg.Security, cfg.Roots = "127.0.0.1", StartTLS, known.pool()
			cfg.Port = listen(t, test.run)
			wantSecret(t, &cfg, test.words == "")
			conn, err := Dial(t.Context(), cfg)
			wantError(t, err, test.cause, test.words, test.hint)
			if err == nil {
				defer conn.Close()
				if got := conn.Capabilities().String(); got != "IMAP4REV1 MOVE XREAL" {
					t.Errorf("capabilities %q: what was said before TLS or the login must not count", got)
				}
			}
		})
	}
}
