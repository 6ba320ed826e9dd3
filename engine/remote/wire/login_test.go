package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailmoor/state"
)

// handshake runs a script against open and returns what came of it, together
// with everything that was traced.
func handshake(t *testing.T, cfg Config, run script) (*Conn, string, error) {
	t.Helper()
	var trace strings.Builder
	cfg.Trace = func(e Event) { fmt.Fprintf(&trace, "%v %s\n", e.Sent, e.Line) }
	conn, err := open(t.Context(), cfg.withDefaults(), play(t, run))
	if conn != nil {
		conn.Close()
	}
	return conn, trace.String(), err
}

func TestLogin(t *testing.T) {
	const odd = "pä\"ss\\wörd"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00u1\x00" + odd))
	tests := []struct {
		name, user, secret, mechanism string
		run                           script
	}{
		{name: "PLAIN at once", secret: odd, run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN AUTH=PLAIN SASL-IR] hello")
			s.ok("AUTHENTICATE PLAIN "+plain, "* CAPABILITY IMAP4rev1 MOVE")
		}},
		{name: "PLAIN in two steps", secret: odd, run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello")
			tag := s.expect("AUTHENTICATE PLAIN")
			s.send("+")
			s.want(plain)
			s.send(tag + " OK [CAPABILITY IMAP4rev1 MOVE] welcome")
		}},
		{name: "LOGIN mechanism", secret: odd, run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 AUTH=LOGIN SASL-IR] hello")
			tag := s.expect("AUTHENTICATE LOGIN")
			s.send("+ " + base64.StdEncoding.EncodeToString([]byte("User Name")))
			s.want("dTE=")
			s.send("+ " + base64.StdEncoding.EncodeToString([]byte("password:")))
			s.want(base64.StdEncoding.EncodeToString([]byte(odd)))
			s.send(tag + " OK [CAPABILITY IMAP4rev1 MOVE] welcome")
		}},
		{name: "LOGIN command", user: `u"1`, secret: `a\b "c`, run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1] hello")
			s.ok(`LOGIN "u\"1" "a\\b \"c"`, "* CAPABILITY IMAP4rev1 MOVE")
		}},
		{name: "LOGIN command with 8-bit password", secret: odd, run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1] hello")
			tag := s.expect("LOGIN {2}")
			s.send("+ go on")
			s.want(fmt.Sprintf("u1 {%d}", len(odd)))
			s.send("+ go on")
			s.want(odd)
			s.send(tag+" OK welcome", "* an answer that was not asked for")
			s.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 MOVE")
		}},
		{name: "LOGIN command although another mechanism is offered", secret: "x y", run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hello")
			s.ok(`LOGIN "u1" "x y"`, "* CAPABILITY IMAP4rev1 MOVE")
		}},
		{name: "mechanism as configured", mechanism: "login", secret: "x", run: func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
			s.ok(`LOGIN "u1" "x"`, "* CAPABILITY IMAP4rev1 MOVE LOGINDISABLED")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Mechanism = test.mechanism
			cfg.Secret = func(context.Context) (string, error) { return test.secret, nil }
			if test.user != "" {
				cfg.User = test.user
			}
			conn, trace, err := handshake(t, cfg, test.run)
			if err != nil {
				t.Fatal(err)
			}
			if !conn.Capabilities().Has("move") {
				t.Errorf("capabilities after the login: %s", conn.Capabilities())
			}
			wantNoSecret(t, trace, cfg.User, test.secret)
		})
	}
}

// want reads a line that is no command.
func (s *server) want(want string) {
	s.t.Helper()
	if got := s.line(); got != want {
		s.t.Errorf("client sent %q, want %q", got, want)
	}
}

// wantNoSecret looks for the secret in every form in which it travels.
func wantNoSecret(t *testing.T, text, user, secret string) {
	t.Helper()
	quoted, _ := quote(secret)
	for _, form := range []string{
		secret, strings.Trim(quoted, `"`), encode([]byte(secret)), encode([]byte("\x00" + user + "\x00" + secret)),
	} {
		if form != "" && len(form) > 1 && strings.Contains(text, form) {
			t.Errorf("the secret stands in:\n%s", text)
		}
	}
}

func TestLoginRefused(t *testing.T) {
	offer := "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello"
	tests := []struct {
		name        string
		answer      string // to AUTHENTICATE
		greeting    string
		mechanism   string
		cause       state.Cause
		words, hint string
	}{
		{"wrong", "NO [AUTHENTICATIONFAILED] nice try", offer, "", state.CauseLogin, "[AUTHENTICATIONFAILED] nice try", "password"},
		{"no code", "NO Invalid credentials", offer, "", state.CauseLogin, "Invalid credentials", "password"},
		{"bad", "BAD what?", offer, "", state.CauseLogin, "BAD what?", ""},
		{"secret repeated", "NO hunter2 AHUxAGh1bnRlcjI= is wrong", offer, "", state.CauseLogin, "{secret} {secret} is wrong", ""},
		{"control characters", "NO \x1b[31mred", offer, "", state.CauseLogin, "?[31mred", ""},
		{"away", "NO [UNAVAILABLE] database down", offer, "", state.CauseNetwork, "database down", "later"},
		{"throttled", "NO [OVERQUOTA] Account exceeded command or bandwidth limits.", offer, "", state.CauseNetwork, "bandwidth limits", "later"},
		{"throttled, without a code", "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", offer, "", state.CauseNetwork, "bandwidth limits", "later"},
		{"in use", "NO [inuse] locked", offer, "", state.CauseNetwork, "[INUSE] locked", "later"},
		{"too many", "NO [ALERT] Too many simultaneous connections.", offer, "", state.CauseNetwork, "Too many", "later"},
		{"privacy", "NO [PRIVACYREQUIRED] TLS please", offer, "", state.CauseConfig, "TLS please", "implicit"},
		{"disabled", "", "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] hello", "", state.CauseConfig, "offers GSSAPI", ""},
		{"not offered", "", "* OK [CAPABILITY IMAP4rev1] hello", "PLAIN", state.CauseConfig, "does not offer PLAIN but no mechanism", ""},
		{"unknown", "", offer, "CRAM-MD5", state.CauseConfig, `auth = "CRAM-MD5" is not supported`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Mechanism = test.mechanism
			wantSecret(t, &cfg, test.answer != "")
			_, trace, err := handshake(t, cfg, func(s *server) {
				s.send(test.greeting)
				if test.answer != "" {
					s.send(s.expect("AUTHENTICATE PLAIN ") + " " + test.answer)
				}
				s.drain()
			})
			wantError(t, err, test.cause, test.words, test.hint)
			wantNoSecret(t, trace+err.Error(), "u1", "hunter2")
		})
	}
}

func TestSecretUnavailable(t *testing.T) {
	cfg := testConfig()
	cfg.Secret = func(context.Context) (string, error) { return "", errors.New("pass: no such entry") }
	_, _, err := handshake(t, cfg, func(s *server) {
		s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello")
		s.drain()
	})
	wantError(t, err, state.CauseLogin, "no such entry", "password_command")
}

func TestGreetings(t *testing.T) {
	tests := []struct {
		name, greeting string
		words, hint    string
	}{
		{"bye", "* BYE [UNAVAILABLE] come back tomorrow", "[UNAVAILABLE] come back tomorrow", "later"},
		{"http", "HTTP/1.0 200 OK", "a web server", "browser"},
		{"html", "<html>", "a web server", "browser"},
		{"smtp", "220 mx ESMTP", `it said "220 mx ESMTP"`, "host and port"},
		{"endless", "* OK " + strings.Repeat("x", handshakeLineMax), "a line of more than 65536 bytes", ""},
		{"silence", "", "said nothing for 20s", "implicit"},
		{"goodbye later", "* OK hello\r\n* BYE [UNAVAILABLE] overload", `hung up: "BYE [UNAVAILABLE] overload"`, "later"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, err := handshake(t, testConfig(), func(s *server) {
					if test.greeting == "" {
						s.drain()
						return
					}
					s.send(test.greeting)
					if strings.HasPrefix(test.greeting, "* OK hello") {
						return
					}
					s.drain()
				})
				wantError(t, err, state.CauseNetwork, test.words, test.hint)
			})
		})
	}
}

func TestGreetingThatDripsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := handshake(t, testConfig(), func(s *server) {
			for range 1000 {
				s.raw("*")
				time.Sleep(15 * time.Second)
			}
		})
		wantError(t, err, state.CauseNetwork, "not complete after 1m40s", "later")
	})
}

func TestPreauthenticated(t *testing.T) {
	cfg := testConfig()
	cfg.Hide = []string{"move", "X-Other"}
	wantSecret(t, &cfg, false)
	conn, _, err := handshake(t, cfg, func(s *server) {
		s.send("* PREAUTH hello")
		s.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 IMAP4rev2 MOVE UIDPLUS APPENDLIMIT=1000 LITERAL-")
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.Capabilities().String(); got != "APPENDLIMIT=1000 IMAP4REV1 IMAP4REV2 LITERAL- UIDPLUS" {
		t.Errorf("capabilities %q", got)
	}
	if limit, known := conn.Capabilities().AppendLimit(); limit != 1000 || !known {
		t.Errorf("append limit %d, %v", limit, known)
	}
}

func TestDialEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	raw := play(t, func(s *server) {
		cancel()
		s.drain()
	})
	_, err := open(ctx, testConfig().withDefaults(), raw)
	if !errors.Is(err, context.Canceled) || state.CauseOf(err) != state.CauseNetwork {
		t.Errorf("got %v, want context.Canceled and cause network", err)
	}
}
