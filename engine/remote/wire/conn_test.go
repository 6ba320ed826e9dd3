package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func bodies() *imap.FetchOptions {
	return &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}
}

// fetchBodies reads messages as the engine does, and returns the first error.
func fetchBodies(c *imapclient.Client, uids imap.UIDSet) (map[imap.UID]string, error) {
	cmd := c.Fetch(uids, bodies())
	got := map[imap.UID]string{}
	var first error
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var uid imap.UID
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				if item.Literal == nil {
					got[uid] = "(nil)"
					continue
				}
				body, err := io.ReadAll(item.Literal)
				if err != nil && first == nil {
					first = err
					// The client's reader goes on after an error in a literal and
					// shares its buffer with whoever drains: let it end first.
					<-c.Closed()
				}
				got[uid] = string(body)
			}
		}
	}
	if err := cmd.Close(); err != nil && first == nil {
		first = err
	}
	return got, first
}

func TestFetchPassesBodiesUnchanged(t *testing.T) {
	large := strings.Repeat("line with {123}\r\n* 9 EXISTS\r\n", 60_000)
	c, _ := client(t, "", func(s *server) {
		tag := s.expect("UID FETCH 1:4 ")
		s.raw(fmt.Sprintf("* 1 FETCH (UID 1 X-GM-MSGID 77 BODY[] {%d}\r\n%s)\r\n", len(large), large))
		s.raw("* 2 FETCH (UID 2 BODY[] {0}\r\n X-GM-LABELS (\"a b\" {3}\r\nx)y \\Inbox) FLAGS (\\Seen))\r\n")
		s.raw("* 3 FETCH (UID 3 BODY[] \"short\")\r\n")
		s.raw("* 4 FETCH (UID 4 BODY[] NIL)\r\n" + tag + " OK done\r\n")
		s.drain()
	})
	got, err := fetchBodies(c, imap.UIDSet{{Start: 1, Stop: 4}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[imap.UID]string{1: large, 2: "", 3: "short", 4: "(nil)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

func TestEndOfFileInLiteral(t *testing.T) {
	c, conn := client(t, "", func(s *server) {
		s.expect("UID FETCH 1 ")
		s.raw("* 1 FETCH (UID 1 BODY[] {100}\r\n" + strings.Repeat("x", 40))
	})
	if _, err := fetchBodies(c, imap.UIDSetNum(1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a message cut short gives %v, want io.ErrUnexpectedEOF", err)
	}
	if got := state.CauseOf(conn.Err()); got != state.CauseNetwork {
		t.Errorf("cause %v, want network; error %v", got, conn.Err())
	}
}

func TestLimits(t *testing.T) {
	endless := strings.Repeat("x", 2*lineMaxDefault)
	tests := []struct{ name, answer, words string }{
		{"line", "* OK " + endless, "a line of more than 1048576 bytes"},
		{"literal", "* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\n", "a message of more than 2147483648 bytes"},
		{"literal beyond all numbers", "* 1 FETCH (UID 1 BODY[] {92233720368547758070}\r\n", "a message of more than"},
		{"literal that would be kept", "* LIST () \"/\" {2000000}\r\n", "longer than 1048576 bytes"},
		{"many literals", "* 1 FETCH (X (" + strings.Repeat("{1}\r\nx ", 300) + "))\r\n", "more than 256 literals"},
		{"no response", "nonsense\r\n", "no response"},
		{"body within something else", "* 1 FETCH (X (BODY[] {5}\r\nhello)))\r\n", "malformed FETCH"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, conn := client(t, "", func(s *server) {
				s.expect("NOOP")
				s.raw(test.answer)
				s.drain()
			})
			if err := c.Noop().Wait(); err == nil {
				t.Error("the command succeeded")
			}
			err := conn.Err()
			if err == nil || !strings.Contains(err.Error(), test.words) || state.CauseOf(err) != state.CauseNetwork {
				t.Errorf("error %v, want one about %q", err, test.words)
			}
		})
	}
}

func TestErrorsStay(t *testing.T) {
	conn := greeted(t, testConfig(), "", func(s *server) { s.raw("* BYE [UNAVAILABLE] too busy\r\n* 1 FET") })
	text, err := io.ReadAll(conn)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasSuffix(string(text), "* BYE [UNAVAILABLE] too busy\r\n") {
		t.Errorf("read %q and %v", text, err)
	}
	for range 3 {
		if _, err := conn.Read(make([]byte, 9)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("reading again: %v", err)
		}
		if _, err := conn.Write([]byte("T1 NOOP\r\n")); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("writing: %v", err)
		}
	}
	if bye := conn.Take().Bye; bye != "BYE [UNAVAILABLE] too busy" {
		t.Errorf("goodbye %q", bye)
	}
	if err := conn.Err(); !strings.Contains(err.Error(), `hung up: "BYE [UNAVAILABLE] too busy"`) {
		t.Errorf("error %v does not repeat the goodbye", err)
	}
}

func TestTraceHidesContents(t *testing.T) {
	var trace strings.Builder
	cfg := testConfig()
	cfg.Trace = func(e Event) { fmt.Fprintln(&trace, e.Line) }
	conn := greeted(t, cfg, "LITERAL+", func(s *server) {
		tag, size := s.appendHead("+")
		s.literal(size)
		s.raw("* 1 FETCH (UID 1 BODY[] {8}\r\nPRIVATE1 INTERNALDATE \"24-Dec-2020 00:00:00 +0000\")\r\n")
		s.raw("* 2 FETCH (UID 2 BODY[TEXT] \"PRIVATE2\" X {8}\r\nPRIVATE3)\r\n")
		s.raw(tag + " OK done\r\n")
	})
	c := imapclient.New(conn, nil)
	if _, err := appendMessage(t, c, "Subject: PRIVATE0\r\n\r\nPRIVATE0 {3}\r\nPRIVATE0\r\n").Wait(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	text := trace.String()
	if strings.Contains(text, "PRIVATE") {
		t.Errorf("contents in the trace:\n%s", text)
	}
	for _, line := range []string{
		"T1 APPEND INBOX (\\Seen) \" 9-Sep-2001", "* 1 FETCH (UID 1 BODY[] {8 bytes}",
		` INTERNALDATE "24-Dec-2020 00:00:00 +0000")`, "* 2 FETCH (UID 2 BODY[TEXT] {8 bytes} X {8 bytes})", "T1 OK done",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the trace lacks %q:\n%s", line, text)
		}
	}
}
