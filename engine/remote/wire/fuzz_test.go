package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

// seeds are lines and streams in which every kind of response stands.
var seeds = []string{
	"* OK [UIDVALIDITY 9] x", "T1 NO [ALERT]", "* OK [PERMANENTFLAGS (a] \\*)] y", "* OK [", "* OK {5}",
	`* FLAGS ( "\\Seen" a])`, `* LIST () "/" "R&D" ("X" (a))`, "* LIST () NIL {3}\r\na b", `* STATUS x (MESSAGES 1 Y (Z))`,
	`* 1 FETCH (UID 1 FLAGS (a]) X ("(" {2}` + "\r\n)))" + ` INTERNALDATE NIL)`, "* 1 FETCH (UID 1 BODY[] NIL MODSEQ (5))",
	"* SEARCH  1 2", "* ESEARCH (TAG \"T1\") UID ALL 1:5", "* CAPABILITY IMAP4rev2 MOVE", "* VANISHED 1", "* 5 EXISTS", "+ go",
}

// FuzzRepairLine checks that whatever a server says in one response, go-imap
// sees nothing or one response: its literals complete, its line end at its end.
func FuzzRepairLine(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text, complete := responseOf(text)
		if !complete {
			return
		}
		repaired, note := repairWhole(text)
		if repaired == "" {
			return
		}
		if _, one := responseOf(repaired); !one {
			t.Errorf("%q became %q, which is not one response", text, repaired)
		}
		if again, _ := repairWhole(repaired); again != repaired {
			t.Errorf("%q became %q and then %q", text, repaired, again)
		}
		_ = note
	})
}

// responseOf returns the first response of text as the pump would collect it,
// and whether that is all of text.
func responseOf(text string) (string, bool) {
	c := &Conn{cfg: Config{}.withDefaults()}
	in := strings.NewReader(text + "\r\n")
	c.in = bufio.NewReader(in)
	line, err := readLine(c.in, c.lineLimit)
	if err != nil || line == "" || line[0] == '+' {
		return "", false
	}
	whole := line
	if _, is := parseStatus(line); !is {
		var body int64
		if whole, body, err = c.collect(line, isFetch(line)); err != nil || body >= 0 {
			return "", false
		}
	}
	return whole, in.Len() == 0 && c.in.Buffered() == 0 && whole == strings.TrimRight(text, " ")
}

// canned is a transport on which the server said everything in advance.
type canned struct {
	net.Conn
	chunks [][]byte
}

func (c *canned) Read(p []byte) (int, error) {
	for len(c.chunks) > 0 && len(c.chunks[0]) == 0 {
		c.chunks = c.chunks[1:]
	}
	if len(c.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.chunks[0])
	c.chunks[0] = c.chunks[0][n:]
	return n, nil
}

func (c *canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c *canned) Close() error                     { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// filtered returns what go-imap would read of the stream, and how it ends.
func filtered(t testing.TB, chunks ...[]byte) (string, string) {
	t.Helper()
	cfg := testConfig().withDefaults()
	s := newSession(cfg, &canned{chunks: chunks})
	s.caps = Capabilities{}
	conn := newConn(s)
	defer conn.Close()
	text, err := io.ReadAll(conn)
	return string(text), fmt.Sprint(err)
}

// FuzzConn checks that the stream which go-imap reads does not depend on how
// the bytes from the server are cut, and that nothing panics.
func FuzzConn(f *testing.F) {
	for i := range seeds {
		f.Add([]byte(strings.Join(seeds[i:], "\r\n")+"\r\n"), uint64(i))
	}
	f.Add([]byte("* 1 FETCH (UID 1 BODY[] {9}\r\n* OK\r\n{5}\r\n FLAGS (a]))\r\n* 2 FETCH (BODY[]<3> {5}\r\nab"), uint64(1))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		whole, end := filtered(t, bytes.Clone(stream))
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := bytes.Clone(stream); len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 9))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		cut, cutEnd := filtered(t, chunks...)
		if whole != cut || end != cutEnd {
			t.Errorf("in one piece %q (%s),\nin pieces %q (%s)", whole, end, cut, cutEnd)
		}
	})
}

// TestOutgoingIsUnchanged: but for the mark of a literal in APPEND, what
// go-imap writes is what is sent, however it is cut.
func TestOutgoingIsUnchanged(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		var text, want strings.Builder
		for i := range rapid.IntRange(1, 5).Draw(t, "commands") {
			body := rapid.StringOfN(rapid.SampledFrom([]rune("a{1}\r\n")), 0, 40, -1).Draw(t, "body")
			line := fmt.Sprintf("T%d SEARCH SUBJECT {%d}\r\n", i, len(body))
			wanted := line
			if rapid.Bool().Draw(t, "append") {
				line = fmt.Sprintf("T%d APPEND x {%d}\r\n", i, len(body))
				wanted = strings.Replace(line, "}", "+}", 1)
			}
			text.WriteString(line + body + "\r\n")
			want.WriteString(wanted + body + "\r\n")
		}
		o := newOutgoing(true, 0, false)
		var got strings.Builder
		for rest := []byte(text.String()); len(rest) > 0; {
			size := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			for chunk := rest[:size]; len(chunk) > 0; {
				send, n, _, err := o.next(chunk)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(send)
				chunk = chunk[n:]
			}
			rest = rest[size:]
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestCommandLineLimit(t *testing.T) {
	o := newOutgoing(true, 0, false)
	_, _, _, err := o.next(bytes.Repeat([]byte("x"), commandLineMax+1))
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("an endless command gives %v", err)
	}
}
