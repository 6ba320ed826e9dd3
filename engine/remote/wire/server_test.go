package wire

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// script is what a server does with one connection. It ends when it returns.
type script func(s *server)

// server is the server's end of a connection, as a script uses it.
type server struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// send writes lines, each with its end.
func (s *server) send(lines ...string) {
	s.raw(strings.Join(lines, "\r\n") + "\r\n")
}

// raw writes text as it is. The client may have gone.
func (s *server) raw(text string) { _, _ = io.WriteString(s.conn, text) }

// line reads a line without its end, "" when the client has gone.
func (s *server) line() string {
	line, _ := s.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

// expect reads a command and returns its tag. An empty want accepts any.
func (s *server) expect(want string) (tag string) {
	s.t.Helper()
	line := s.line()
	tag, got, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(got, want) {
		s.t.Errorf("client sent %q, want a command beginning with %q", line, want)
	}
	return tag
}

// ok reads a command, sends the untagged lines and answers OK.
func (s *server) ok(want string, untagged ...string) {
	s.t.Helper()
	tag := s.expect(want)
	s.send(append(untagged, tag+" OK done")...)
}

// drain reads until the client goes.
func (s *server) drain() { _, _ = io.Copy(io.Discard, s.in) }

// play runs the script on one end of a connection and returns the other. The
// script has ended when the test has.
func play(t *testing.T, run script) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer theirs.Close()
		run(&server{t: t, conn: theirs, in: bufio.NewReader(theirs)})
	})
	t.Cleanup(func() {
		ours.Close()
		wg.Wait()
	})
	return ours
}

// testConfig is for a transport that is there already.
func testConfig() Config {
	return Config{
		Host: "imap.test", Port: 143, Security: Plain, User: "u1",
		Secret:          func(context.Context) (string, error) { return "hunter2", nil },
		ConnectTimeout:  20 * time.Second,
		ProgressTimeout: 20 * time.Second,
	}
}

// greeted is a connection on which the login has been done by the time that
// the script runs.
func greeted(t *testing.T, cfg Config, capabilities string, run script) *Conn {
	t.Helper()
	raw := play(t, func(s *server) {
		s.send("* PREAUTH [CAPABILITY IMAP4rev1 " + capabilities + "] hello")
		run(s)
	})
	conn, err := open(t.Context(), cfg.withDefaults(), raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// client is go-imap on top of a scripted server.
func client(t *testing.T, capabilities string, run script) (*imapclient.Client, *Conn) {
	t.Helper()
	conn := greeted(t, testConfig(), capabilities, run)
	c := imapclient.New(conn, nil)
	t.Cleanup(func() { c.Close() })
	if err := c.WaitGreeting(); err != nil {
		t.Fatal(err)
	}
	return c, conn
}
