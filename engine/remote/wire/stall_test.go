package wire

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// The tests in this file are of servers that keep the line busy and get nowhere: a
// run used to go on with them for hours. The clock is the tests' own.

// stalls checks how the connection ended, and after which time.
func stalls(t *testing.T, conn *Conn, waited, want time.Duration, words string) {
	t.Helper()
	err := conn.Err()
	if !errors.Is(err, os.ErrDeadlineExceeded) || state.CauseOf(err) != state.CauseNetwork || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want one of the network that says %q", err, words)
	}
	if waited < want || waited > want+time.Minute {
		t.Errorf("gave up after %s, want %s", waited, want)
	}
}

// every sends the text again and again, with a pause before each, until the client
// has gone.
func (s *server) every(pause time.Duration, text string) {
	for {
		time.Sleep(pause)
		if _, err := io.WriteString(s.conn, text); err != nil {
			return
		}
	}
}

func TestDrippingLiteral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, conn := client(t, "", func(s *server) {
			s.expect("UID FETCH")
			s.raw("* 1 FETCH (UID 1 BODY[] {5000000}\r\n")
			s.every(time.Second, "x")
		})
		begin := time.Now()
		if _, err := fetchBodies(c, imap.UIDSetNum(1)); err == nil {
			t.Error("a message of which one byte a second comes has arrived")
		}
		stalls(t, conn, time.Since(begin), 100*time.Second, "bytes of an answer came in 1m40s")
	})
}

// TestPauseInLiteral: a server that pauses within a message, for less than the
// patience each time, is waited for.
func TestPauseInLiteral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, "", func(s *server) {
			tag := s.expect("UID FETCH")
			s.raw("* 1 FETCH (UID 1 BODY[] {100000}\r\n")
			for range 100 {
				time.Sleep(9 * time.Second)
				s.raw(strings.Repeat("x", 1000))
			}
			s.send(")", tag+" OK done")
			s.drain()
		})
		if got, err := fetchBodies(c, imap.UIDSetNum(1)); err != nil || len(got[1]) != 100_000 {
			t.Errorf("got %d bytes, %v", len(got[1]), err)
		}
	})
}

func TestTalkWithoutAnswer(t *testing.T) {
	for name, line := range map[string]string{
		"remarks":      "* OK Still here\r\n",
		"messages":     "* 1 FETCH (FLAGS ())\r\n",
		"size":         "* 5 EXISTS\r\n",
		"empty lines":  "\r\n",
		"mailboxes":    "* LIST () \"/\" x\r\n",
		"permissions":  "+ go ahead\r\n",
		"search":       "* SEARCH 1\r\n",
		"unknown ones": "* XYZZY\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, conn := client(t, "", func(s *server) {
					s.expect("NOOP")
					s.every(5*time.Second, line)
				})
				begin := time.Now()
				if err := c.Noop().Wait(); err == nil {
					t.Error("a command without an answer succeeded")
				}
				stalls(t, conn, time.Since(begin), 10*time.Minute, "keeps talking and has not answered")
			})
		})
	}
}

// TestLongWork: a server that works for nine minutes and says so is waited for, and
// each command has the time anew.
func TestLongWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, "", func(s *server) {
			for range 3 {
				tag := s.expect("NOOP")
				for range 36 {
					time.Sleep(15 * time.Second)
					s.send("* OK Still here")
				}
				s.send(tag + " OK done")
			}
			s.drain()
		})
		for range 3 {
			if err := c.Noop().Wait(); err != nil {
				t.Errorf("a slow answer: %v", err)
			}
		}
	})
}

// TestSlowListing: a listing that takes half an hour is none that stalls.
func TestSlowListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 9000
		c, _ := client(t, "", func(s *server) {
			s.ok("NOOP", fmt.Sprintf("* %d EXISTS", messages))
			tag := s.expect("UID FETCH")
			for i := range messages {
				time.Sleep(200 * time.Millisecond)
				s.send(fmt.Sprintf("* %d FETCH (UID %d FLAGS (\\Seen))", i+1, i+1))
			}
			s.send(tag + " OK done")
			s.drain()
		})
		if err := c.Noop().Wait(); err != nil {
			t.Fatal(err)
		}
		list, err := c.Fetch(imap.UIDSet{{Start: 1}}, &imap.FetchOptions{UID: true, Flags: true}).Collect()
		if err != nil || len(list) != messages {
			t.Errorf("%d messages, %v", len(list), err)
		}
	})
}

// TestSlowReader: when nobody reads on this side for hours, the server is not to blame.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("x", 4*queueBytesMax)
		conn := greeted(t, testConfig(), "", func(s *server) {
			tag := s.expect("UID FETCH")
			s.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%s OK done\r\n", len(body), body, tag))
			s.drain()
		})
		if _, err := io.WriteString(conn, "T1 UID FETCH 1 (BODY.PEEK[])\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Hour)
		buffer := make([]byte, 1<<20)
		for read := 0; read < len(body); {
			n, err := conn.Read(buffer)
			if err != nil {
				t.Fatalf("after %d bytes: %v", read, err)
			}
			read += n
			time.Sleep(time.Minute)
		}
	})
}

func TestDrippingHandshake(t *testing.T) {
	for name, run := range map[string]script{
		"greeting": func(s *server) { s.every(time.Second, "*") },
		"remarks":  func(s *server) { s.send("* OK hello"); s.expect("CAPABILITY"); s.every(time.Second, "* OK\r\n") },
		"login": func(s *server) {
			s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
			s.expect("AUTHENTICATE")
			s.every(time.Second, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				_, err := open(t.Context(), testConfig().withDefaults(), play(t, run))
				if state.CauseOf(err) != state.CauseNetwork || !strings.Contains(fmt.Sprint(err), "not complete after 1m40s") {
					t.Errorf("error %v", err)
				}
				if waited := time.Since(begin); waited != 100*time.Second {
					t.Errorf("gave up after %s", waited)
				}
			})
		})
	}
}
