package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// flood sends the text that line returns for each number, until the client has gone or
// most have been sent. It returns how many were.
func (s *server) flood(most int, line func(i int) string) int {
	var b strings.Builder
	for i := range most {
		b.WriteString(line(i))
		if b.Len() < 4096 && i < most-1 {
			continue
		}
		if _, err := io.WriteString(s.conn, b.String()); err != nil {
			return i
		}
		b.Reset()
	}
	return most
}

// TestFlood: a server that says much more than it can have to say is hung up on, before
// anything grows with it: it said that five messages exist and told the flags of ten
// million, which took 632 MB.
func TestFlood(t *testing.T) {
	const most = 500_000
	tests := []struct {
		name  string
		line  func(i int) string
		words string
		limit int // of lines
	}{
		{"messages", func(i int) string { return fmt.Sprintf("* 1 FETCH (UID %d FLAGS ())\r\n", i+1) }, "of a mailbox with 5", remarksMax + 50},
		{"expunges", func(int) string { return "* 1 EXPUNGE\r\n" }, "of a mailbox with 5", remarksMax + 50},
		{"sizes", func(int) string { return "* 5 EXISTS\r\n" }, "of a mailbox with 5", remarksMax + 50},
		{"remarks", func(int) string { return "* OK [ALERT] Still here\r\n" }, "remarks that nobody asked for", remarksMax},
		{"flags", func(i int) string { return fmt.Sprintf("* FLAGS (k%d)\r\n", i) }, "remarks that nobody asked for", remarksMax},
		{"capabilities", func(i int) string { return fmt.Sprintf("* CAPABILITY IMAP4rev1 X%d\r\n", i) }, "remarks that nobody asked for", remarksMax},
		{"vanished", func(i int) string { return fmt.Sprintf("* VANISHED (EARLIER) %d:%d\r\n", 2*i+1, 2*i+1) }, "remarks that nobody asked for", remarksMax},
		{"namespaces", func(int) string { return "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n" }, "remarks that nobody asked for", remarksMax},
		{"identities", func(int) string { return "* ID (\"name\" \"x\")\r\n" }, "remarks that nobody asked for", remarksMax},
		{"empty lines", func(int) string { return "\r\n" }, "remarks that nobody asked for", remarksMax},
		{"mailboxes", func(i int) string { return fmt.Sprintf("* LIST () \"/\" m%d\r\n", i) }, "lines about mailboxes", mailboxLinesMax},
		{"status", func(i int) string { return fmt.Sprintf("* STATUS m%d (MESSAGES 1)\r\n", i) }, "lines about mailboxes", mailboxLinesMax},
		{"search results", func(i int) string { return fmt.Sprintf("* SEARCH %d\r\n", 2*i+1) }, "bytes of search results of a mailbox with 5 messages", lineMaxDefault / 10},
		{"one long search result", func(i int) string {
			if i == 0 {
				return "* SEARCH"
			}
			return fmt.Sprintf(" %d", 1_000_000_000+2*i)
		}, "a line of more than 1048631 bytes", lineMaxDefault/10 + 10_000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sent := make(chan int, 1)
			c, conn := client(t, "", func(s *server) {
				s.ok("SELECT", "* 7 EXISTS", "* OK [UIDVALIDITY 1] x", "* 2 EXPUNGE", "* 2 EXPUNGE")
				s.ok("SELECT", "* 5 EXISTS", "* OK [UIDVALIDITY 1] x")
				s.expect("UID SEARCH")
				sent <- s.flood(most, test.line)
				s.drain()
			})
			for range 2 {
				if _, err := c.Select("INBOX", nil).Wait(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait(); err == nil {
				t.Error("the command succeeded")
			}
			if err := conn.Err(); state.CauseOf(err) != state.CauseNetwork || !strings.Contains(fmt.Sprint(err), test.words) {
				t.Errorf("error %v, want one that says %q", err, test.words)
			}
			// What stands in buffers has been read without having been looked at.
			if n := <-sent; n < test.limit/2 || n > test.limit+20_000 {
				t.Errorf("hung up after %d lines, want some %d", n, test.limit)
			}
		})
	}
}

// TestNoFlood: what a busy server may say is not taken for too much, and each answer
// begins anew.
func TestNoFlood(t *testing.T) {
	const messages = 3000
	idled := make(chan struct{})
	c, conn := client(t, "IDLE", func(s *server) {
		s.ok("SELECT", fmt.Sprintf("* %d EXISTS", messages))
		for range 3 {
			tag := s.expect("NOOP")
			s.flood(remarksMax-100, func(i int) string { return fmt.Sprintf("* OK %d\r\n", i) })
			s.flood(tellsMax*messages, func(i int) string { return fmt.Sprintf("* %d FETCH (FLAGS ())\r\n", i%messages+1) })
			s.send(tag + " OK done")
		}
		tag := s.expect("IDLE")
		s.send("+ idling")
		s.flood(50_000, func(int) string { return "* 1 FETCH (FLAGS ())\r\n" })
		close(idled)
		s.want("DONE")
		s.send(tag + " OK done")
		s.drain()
	})
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.Noop().Wait(); err != nil {
			t.Fatal(err)
		}
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	<-idled
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := conn.Messages(); got != messages {
		t.Errorf("the mailbox is said to have shown %d messages, want %d", got, messages)
	}
}

// TestMessagesOfAMailbox: what came after the mailbox was opened counts, and what was
// there in the one before does not.
func TestMessagesOfAMailbox(t *testing.T) {
	c, conn := client(t, "", func(s *server) {
		s.ok("SELECT", "* 90 EXISTS")
		s.ok("SELECT", "* 5 EXISTS", "* 0 RECENT")
		s.ok("NOOP", "* 1 EXPUNGE", "* 2 EXPUNGE", "* 3 EXISTS", "* 6 EXISTS", "* 6 EXISTS", "* 6 EXPUNGE", "* 6 EXISTS")
		s.drain()
	})
	for range 2 {
		if _, err := c.Select("INBOX", nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	// Five, three that came, and one more in the place of the one that went.
	if got := conn.Messages(); got != 9 {
		t.Errorf("the mailbox may have shown %d messages, want 9", got)
	}
}

// TestLiteralOfAnotherLength: a message that is longer or shorter than it was said to be
// takes other lines for its own, or leaves some over. Where the end of the response was
// just left out, the command whose answer was lost waited for ever.
func TestLiteralOfAnotherLength(t *testing.T) {
	body := strings.Repeat("a line\r\n", 10)
	for more := -20; more <= 30; more++ {
		synctest.Test(t, func(t *testing.T) {
			c, conn := client(t, "", func(s *server) {
				tag := s.expect("UID FETCH")
				s.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%s OK done\r\n", len(body)+more, body, tag))
				s.drain()
			})
			begin := time.Now()
			got, err := fetchBodies(c, imap.UIDSetNum(1))
			waited := time.Since(begin)
			switch {
			case more == 0:
				if err != nil || got[1] != body {
					t.Errorf("got %q, %v", got[1], err)
				}
			case err == nil || state.CauseOf(conn.Err()) != state.CauseNetwork:
				t.Errorf("%+d bytes: error %v, connection %v", more, err, conn.Err())
			case waited > testConfig().ProgressTimeout:
				t.Errorf("%+d bytes: gave up after %s", more, waited)
			case (more < 0 || more == 3) && (waited > 0 || !errors.Is(conn.Err(), errLiteralEnd)):
				t.Errorf("%+d bytes: gave up after %s with %v, although the line behind the message says it all", more, waited, conn.Err())
			}
		})
	}
}
