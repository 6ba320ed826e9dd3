package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
)

func TestPipelinedAppends(t *testing.T) {
	const count = 20
	var got []string
	c, _ := client(t, "LITERAL+ UIDPLUS", func(s *server) {
		// No answer before everything has arrived: a client that waits for a
		// permission or an answer gets stuck.
		var tags []string
		for range count {
			tag, size := s.appendHead(`+`)
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
	_, _ = io.Copy(cmd, strings.NewReader(body))
	_ = cmd.Close()
	return cmd
}

func TestLargeAppendWaitsBehindPipelinedOnes(t *testing.T) {
	large := strings.Repeat("z", 5000)
	c, _ := client(t, "LITERAL+ APPENDLIMIT=4999", func(s *server) {
		tag1, size1 := s.appendHead("+")
		s.literal(size1)
		tag2, size2 := s.appendHead("")
		// Responses come between; the permission is the server's own.
		s.send("* 1 EXISTS", tag1+" OK first", "+ now")
		if got := s.literal(size2); got != large {
			s.t.Errorf("the large message arrived as %d bytes", len(got))
		}
		s.send(tag2 + " OK second")
		s.drain()
	})
	first, second := appendMessage(t, c, "small"), appendMessage(t, c, large)
	for i, cmd := range []*imapclient.AppendCommand{first, second} {
		if _, err := cmd.Wait(); err != nil {
			t.Errorf("append %d: %v", i+1, err)
		}
	}
}

func TestRefusedLiteralKeepsTheConnection(t *testing.T) {
	c, _ := client(t, "", func(s *server) {
		tag, _ := s.appendHead("")
		s.send(tag + " NO [TOOBIG] no, thank you")
		tag, size := s.appendHead("")
		s.send("+ go on")
		if got := s.literal(size); got != "small" {
			s.t.Errorf("the next message arrived as %q", got)
		}
		s.send(tag + " OK stored")
		s.drain()
	})
	_, err := appendMessage(t, c, strings.Repeat("T9 LOGOUT\r\n", 2000)).Wait()
	var refusal *imap.Error
	if !errors.As(err, &refusal) || refusal.Code != "TOOBIG" {
		t.Errorf("refused with %v, want NO [TOOBIG]", err)
	}
	if _, err := appendMessage(t, c, "small").Wait(); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// The permission of our own making must not appear within another response.
func TestPermissionWaitsForTheResponsesEnd(t *testing.T) {
	appended := make(chan struct{})
	conn := greeted(t, testConfig(), "LITERAL+", func(s *server) {
		s.raw("* 1 FETCH (UID 1 BODY[] {10}\r\n01234")
		<-appended
		s.raw("56789 FLAGS (\\Seen))\r\n")
		s.drain()
	})
	want := "* 1 FETCH (UID 1 BODY[] {10}\r\n0123456789 FLAGS (\\Seen))\r\n+ go ahead\r\n"
	if _, err := io.CopyN(io.Discard, conn, int64(len("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"))); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	begin := strings.Index(want, "56789")
	if _, err := io.ReadFull(conn, got[:begin]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "T1 APPEND INBOX {3}\r\n"); err != nil {
		t.Fatal(err)
	}
	close(appended)
	if _, err := io.ReadFull(conn, got[begin:]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go-imap reads (-want +got):\n%s", diff)
	}
}

// Only the literals of APPEND are sent without a permission.
func TestOtherLiteralsWait(t *testing.T) {
	c, _ := client(t, "LITERAL+", func(s *server) {
		tag := s.expect("UID SEARCH CHARSET UTF-8 SUBJECT {3}")
		s.send("+ go on")
		s.want("\xc3\xa4x")
		s.send("* SEARCH 5", tag+" OK done")
		s.drain()
	})
	criteria := &imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "äx"}}}
	data, err := c.UIDSearch(criteria, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]imap.UID{5}, data.AllUIDs()); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}
