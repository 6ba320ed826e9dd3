package lab

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// rawClient speaks IMAP by the line, so that tests see exactly what is sent.
type rawClient struct {
	t    testing.TB
	conn *tls.Conn
	in   *bufio.Reader
	tag  int
}

const rawTimeout = 20 * time.Second

// dialRaw connects and returns the client with the greeting.
func dialRaw(t testing.TB, to Upstream) (*rawClient, string) {
	t.Helper()
	conn, err := tls.Dial("tcp", to.Addr(), to.TLS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(rawTimeout))
	c := newRawClient(t, conn)
	greeting, err := readLine(c.in)
	if err != nil {
		t.Fatal(err)
	}
	return c, greeting
}

func newRawClient(t testing.TB, conn *tls.Conn) *rawClient {
	return &rawClient{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// login returns a client that is logged in, and the answer to LOGIN.
func login(t testing.TB, to Upstream) (*rawClient, string) {
	t.Helper()
	c, _ := dialRaw(t, to)
	return c, c.ok("LOGIN u1 secret")
}

// do sends the command and returns everything up to its tagged answer, the tag
// replaced by "tag". It waits for "+" before each literal that asks for it.
func (c *rawClient) do(command string) string {
	c.t.Helper()
	c.tag++
	tag := fmt.Sprintf("a%d", c.tag)
	var answer strings.Builder
	for rest := tag + " " + command + "\r\n"; ; {
		line, after, _ := strings.Cut(rest, "\r\n")
		c.send(line + "\r\n")
		l, found := literalAt(line)
		if (!found || !l.nonSync) && c.await(tag, found, &answer) {
			return answer.String()
		}
		c.send(after[:l.size])
		rest = after[l.size:]
	}
}

func (c *rawClient) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

// await reads up to the tagged answer, or up to "+" where that may come, and
// reports whether it was the answer.
func (c *rawClient) await(tag string, mayContinue bool, answer *strings.Builder) bool {
	c.t.Helper()
	for {
		line, err := readLine(c.in)
		if err != nil {
			c.t.Fatalf("wait for an answer: %v; so far: %q", err, answer)
		}
		if strings.HasPrefix(line, "+") && mayContinue {
			return false
		}
		if rest, done := strings.CutPrefix(line, tag+" "); done {
			answer.WriteString("tag " + rest + "\n")
			return true
		}
		answer.WriteString(line + "\n")
	}
}

// ok is do for a command that must succeed.
func (c *rawClient) ok(command string) string {
	c.t.Helper()
	answer := c.do(command)
	if !strings.Contains("\n"+answer, "\ntag OK") {
		c.t.Errorf("%s is answered %q", command, answer)
	}
	return answer
}

// bad is do for a command that must be answered BAD.
func (c *rawClient) bad(command string) {
	c.t.Helper()
	if answer := c.do(command); !strings.Contains("\n"+answer, "\ntag BAD") {
		c.t.Errorf("%s is answered %q, want BAD", command, answer)
	}
}
