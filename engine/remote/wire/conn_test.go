package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

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

func TestPipelinedAppends(t *testing.T) {
	const count = 20
	var got []string
	c, _ := client(t, "LITERAL+ UIDPLUS", func(s *server) {
		// No answer before everything has arrived: a client that waits for a
		// permission or an answer gets stuck.
		var tags []string
		for range count {
			tag, size := s.appendHead("+")
			got = append(got, s.literal(size))
			tags = append(tags, tag)
		}
		for i, tag := range tags {
			s.send(fmt.Sprintf("%s OK [APPENDUID 7 %d] stored", tag, i+1))
		}
		s.drain()
	})
	var cmds []*imapclient.AppendCommand
	var want []string
	for i := range count {
		body := fmt.Sprintf("Subject: %d\r\n\r\n{%d}\r\nA1 LOGOUT\r\n", i, i) + strings.Repeat("y", i*997)
		want = append(want, body)
		cmds = append(cmds, appendMessage(t, c, body))
	}
	for i, cmd := range cmds {
		data, err := cmd.Wait()
		if err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		if data.UID != imap.UID(i+1) {
			t.Errorf("append %d got UID %d", i, data.UID)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// appendHead reads the head of an APPEND whose literal has the given mark.
func (s *server) appendHead(mark string) (tag string, size int) {
	s.t.Helper()
	line := s.line()
	tag, rest, _ := strings.Cut(line, " ")
	_, announced, _ := strings.Cut(rest, "{")
	if _, err := fmt.Sscanf(announced, "%d"+mark+"}", &size); err != nil || !strings.HasPrefix(rest, "APPEND ") {
		s.t.Errorf("client sent %q, want an APPEND with a literal {n%s}", line, mark)
	}
	return tag, size
}

// literal reads a literal and the end of the command.
func (s *server) literal(size int) string {
	s.t.Helper()
	body := make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		s.t.Error(err)
	}
	if rest := s.line(); rest != "" {
		s.t.Errorf("after the literal comes %q", rest)
	}
	return string(body)
}

func appendMessage(t *testing.T, c *imapclient.Client, body string) *imapclient.AppendCommand {
	t.Helper()
	cmd := c.Append("INBOX", int64(len(body)), &imap.AppendOptions{
		Flags: []imap.Flag{imap.FlagSeen}, Time: time.Unix(1e9, 0),
	})
	// Errors show again when the command is waited for.
	_, _ = io.Copy(cmd, bytes.NewReader([]byte(body)))
	_ = cmd.Close()
	return cmd
}
