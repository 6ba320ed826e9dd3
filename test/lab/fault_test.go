package lab

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// connect connects without waiting for a greeting, and returns what comes in
// below TLS. It speaks TLS 1.2, where an alert can be told from data.
func connect(t *testing.T, p *FaultProxy) (*rawClient, *tap) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(rawTimeout))
	config := p.TLS()
	config.MaxVersion = tls.VersionTLS12
	below := &tap{Conn: conn}
	return newRawClient(t, tls.Client(below, config)), below
}

// tap keeps what is read from a connection.
type tap struct {
	net.Conn
	bytes []byte
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes = append(c.bytes, p[:n]...)
	return n, err
}

// notified reports whether the last TLS record is an alert, such as
// close_notify. RFC 5246, section 6.2.1: type, version, length.
func (c *tap) notified() bool {
	const alert = 21
	kind := byte(0)
	for rest := c.bytes; len(rest) >= 5; {
		kind = rest[0]
		rest = rest[min(len(rest), 5+int(rest[3])<<8+int(rest[4])):]
	}
	return kind == alert
}

func TestFaultsCutTowardsTheClient(t *testing.T) {
	srv := Dovecot(t)
	p := Faults(t, srv)
	for _, tt := range []struct {
		name   string
		action Action
		err    error
		notify bool
	}{
		{"reset", Reset, syscall.ECONNRESET, false},
		{"close", Close, nil, false},
		{"close_notify", CloseNotify, nil, true},
		{"half close", HalfClose, nil, false},
	} {
		for _, after := range []int64{1, 2, 40} {
			p.Behave(Behaviour{Faults: []Fault{{ToClient, after, tt.action}}})
			c, below := connect(t, p)
			data, err := io.ReadAll(c.in)
			if !errors.Is(err, tt.err) || below.notified() != tt.notify {
				t.Errorf("%s after %d bytes ends with %v, close_notify %v", tt.name, after, err, below.notified())
			}
			// RST may overtake what has been sent before it.
			if n := int64(len(data)); n != after && (tt.action != Reset || n > after) {
				t.Errorf("%s after %d bytes let %d through", tt.name, after, n)
			}
			conns := p.Conns()
			if got := conns[len(conns)-1].ToClient; got != after {
				t.Errorf("%s after %d bytes: %d are counted", tt.name, after, got)
			}
			c.conn.Close()
		}
	}
}

// A message whose literal does not arrive whole must not be stored, which also
// proves that the cut is where it should be.
func TestFaultsCutTowardsTheServer(t *testing.T) {
	srv := Dovecot(t)
	const commands = "a LOGIN u1 secret\r\nb APPEND INBOX {6+}\r\nA: b\r\n\r\n"
	for _, tt := range []struct {
		missing int // bytes at the end of commands
		stored  int
	}{{3, 0}, {2, 0}, {0, 1}} {
		srv.User("u1")
		p := Faults(t, srv)
		after := int64(len(commands) - tt.missing)
		p.Behave(Behaviour{Faults: []Fault{{ToServer, after, Stall}}})
		c, _ := connect(t, p)
		c.send(commands + "c NOOP\r\n")
		if tt.stored > 0 {
			c.await("b", false, new(strings.Builder))
		} else {
			c.await("a", false, new(strings.Builder))
		}
		p.Disconnect()
		if got := p.Conns()[0].ToServer; got != after {
			t.Errorf("%d bytes missing: %d passed, want %d", tt.missing, got, after)
		}
		if n := len(srv.Messages("u1", "INBOX")); n != tt.stored {
			t.Errorf("%d bytes missing: %d messages stored", tt.missing, n)
		}
	}
}

func TestHalfCloseStillReachesTheServer(t *testing.T) {
	for name, fault := range map[string]Fault{
		"towards the client": {ToClient, 1, HalfClose},
		"towards the server": {ToServer, 3, HalfClose},
	} {
		t.Run(name, func(t *testing.T) {
			srv := Dovecot(t)
			srv.User("u1")
			p := Faults(t, srv)
			p.Behave(Behaviour{Faults: []Fault{fault}})
			c, _ := connect(t, p)
			if fault.Direction == ToClient {
				if data, err := io.ReadAll(c.in); len(data) != 1 || err != nil {
					t.Fatalf("the half closed connection brings %q and ends with %v", data, err)
				}
			}
			c.send("a LOGIN u1 secret\r\nb CREATE Blind\r\nc LOGOUT\r\n")
			for deadline := time.Now().Add(rawTimeout); ; time.Sleep(5 * time.Millisecond) {
				blind := func(m Mailbox) bool { return m.Name == "Blind" }
				if slices.ContainsFunc(srv.Mailboxes("u1"), blind) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the command did not reach the server")
				}
			}
		})
	}
}

func TestStallKeepsTheConnectionOpen(t *testing.T) {
	srv := Dovecot(t)
	p := Faults(t, srv)
	p.Behave(Behaviour{Faults: []Fault{{ToClient, 5, Stall}}})
	c, _ := connect(t, p)
	first := make([]byte, 5)
	if _, err := io.ReadFull(c.in, first); err != nil || string(first) != "* OK " {
		t.Fatalf("before the stall: %q, %v", first, err)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the stalled connection ends with %v", err)
	}
}

// What a client has sent before it went away may arrive long after that.
func TestLateArrivesAfterTheClientHasGone(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	p := Faults(t, srv)
	const login, late = "a LOGIN u1 secret\r\n", "b CREATE Late\r\n"
	p.Behave(Behaviour{Faults: []Fault{{ToServer, int64(len(login)) + 3, Late}}})
	c, _ := connect(t, p)
	c.send(login + late)
	c.await("a", false, new(strings.Builder))
	c.conn.Close()
	created := func() bool {
		return slices.ContainsFunc(srv.Mailboxes("u1"), func(m Mailbox) bool { return m.Name == "Late" })
	}
	if created() {
		t.Fatal("what was kept back has arrived")
	}
	p.Release()
	srv.AwaitSessions(0)
	if !created() {
		t.Error("what was kept back never arrived")
	}
}

// Only lower bounds are asserted: a busy machine may be slower, never faster.
func TestDelayAndRate(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	p := Faults(t, srv)
	p.Behave(Behaviour{RTT: 60 * time.Millisecond})
	c, _ := login(t, p)
	started := time.Now()
	for range 3 {
		c.ok("NOOP")
	}
	if took := time.Since(started); took < 180*time.Millisecond {
		t.Errorf("three round trips of 60 ms took %v", took)
	}
	p.Behave(Behaviour{BytesPerSecond: 20_000})
	c, _ = login(t, p)
	started = time.Now()
	c.ok("APPEND INBOX {8000}\r\nA: b\r\n\r\n" + strings.Repeat("x", 7992))
	if took := time.Since(started); took < 350*time.Millisecond {
		t.Errorf("8000 bytes at 20 kB/s took %v", took)
	}
	if messages := srv.Messages("u1", "INBOX"); len(messages) != 1 || len(messages[0].Body) != 8000 {
		t.Errorf("%d messages arrived", len(messages))
	}
}

func TestScriptAndChain(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	mask := Mask(t, srv, "MOVE")
	p := Faults(t, mask)
	p.Script(func(conn int) Behaviour {
		if conn == 0 {
			return Behaviour{Faults: []Fault{{ToClient, 0, Reset}}}
		}
		return Behaviour{}
	})
	if conn, err := tls.Dial("tcp", p.Addr(), p.TLS()); err == nil {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("connection 0 is not cut")
		}
		conn.Close()
	}
	c, _ := login(t, p)
	c.ok("SELECT INBOX")
	c.bad("UID MOVE 1 INBOX")
	if n := len(mask.Commands()); n != 3 {
		t.Errorf("%d commands passed both proxies", n)
	}
}

// What is recorded is what passed, up to a fault and not beyond it.
func TestFaultsRecord(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	p := Faults(t, srv)
	c, _ := login(t, p)
	c.ok("NOOP")
	if got := p.Passed(0, ToServer); len(got) > 0 {
		t.Errorf("without being asked to, the proxy recorded %q", got)
	}
	const commands = "a LOGIN u1 secret\r\nb NOOP\r\n"
	p.Behave(Behaviour{Record: true, Faults: []Fault{{ToServer, int64(len(commands)), Stall}}})
	c, _ = connect(t, p)
	c.send(commands + "c NOOP\r\n")
	c.await("b", false, new(strings.Builder))
	p.Disconnect()
	if got := string(p.Passed(1, ToServer)); got != commands {
		t.Errorf("recorded towards the server is %q, want %q", got, commands)
	}
	if got := string(p.Passed(1, ToClient)); !strings.HasPrefix(got, "* OK ") || strings.Count(got, "\nb OK ") != 1 || !strings.HasSuffix(got, "\r\n") {
		t.Errorf("recorded towards the client is %q, want the greeting up to the answer to b", got)
	}
	if got := p.Passed(2, ToClient); got != nil {
		t.Errorf("of a connection that was never made %q is recorded", got)
	}
}

func TestRawFaultsCountTheHandshake(t *testing.T) {
	srv := Dovecot(t)
	p := RawFaults(t, srv)
	c, greeting := dialRaw(t, p)
	c.ok("NOOP")
	traffic := p.Conns()[0]
	if traffic.ToClient <= int64(len(greeting))+500 || traffic.ToServer <= 200 {
		t.Errorf("a connection with a TLS handshake has the traffic %+v", traffic)
	}
	p.Behave(Behaviour{Faults: []Fault{{ToClient, 100, Close}}})
	if conn, err := tls.Dial("tcp", p.Addr(), p.TLS()); err == nil {
		conn.Close()
		t.Error("a handshake cut after 100 bytes succeeds")
	}
	if got := p.Conns()[1].ToClient; got != 100 {
		t.Errorf("%d bytes passed, want 100", got)
	}
}

// TestRoundTrips counts what a client waits for, not what it sends.
func TestRoundTrips(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	const commands = 5
	for _, tt := range []struct {
		name      string
		pipelined bool
		want      int64
	}{{"one after the other", false, commands}, {"sent together", true, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			p := RawFaults(t, srv)
			p.Behave(Behaviour{RTT: 20 * time.Millisecond})
			c, _ := login(t, p)
			before := p.Conns()[0]
			var together strings.Builder
			for i := range commands {
				if tt.pipelined {
					fmt.Fprintf(&together, "n%d NOOP\r\n", i)
				} else {
					c.ok("NOOP")
				}
			}
			if tt.pipelined {
				c.send(together.String())
				c.await(fmt.Sprintf("n%d", commands-1), false, new(strings.Builder))
			}
			if got := p.Conns()[0].RoundTrips - before.RoundTrips; got != tt.want {
				t.Errorf("%d round trips, want %d", got, tt.want)
			}
		})
	}
}
