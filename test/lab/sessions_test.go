package lab

import (
	"io"
	"strconv"
	"testing"
)

// A session counts until the server has noticed that its client is gone.
func TestAwaitSessions(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	srv.AwaitSessions(0)
	first, _ := login(t, srv)
	second, _ := login(t, srv)
	if n := srv.sessions(""); n != 2 {
		t.Fatalf("with two clients there are %d sessions", n)
	}
	first.conn.Close()
	srv.AwaitSessions(1)
	if n := srv.sessions(""); n != 1 {
		t.Errorf("with one client left there are %d sessions", n)
	}
	second.ok("LOGOUT")
	_, _ = io.Copy(io.Discard, second.in)
	srv.AwaitSessions(0)
}

// Nobody has to wait for the sessions of another user.
func TestAwaitSessionsOf(t *testing.T) {
	srv := Dovecot(t)
	ours, _ := dialRaw(t, srv)
	ours.ok("LOGIN u1 secret")
	theirs, _ := dialRaw(t, srv)
	theirs.ok("LOGIN u10 secret")
	if n := srv.sessions("u1"); n != 1 {
		t.Errorf("with one client of u1 and one of u10, u1 has %d sessions", n)
	}
	ours.conn.Close()
	srv.AwaitSessionsOf("u1", func() int { return 0 })
	if n := srv.sessions("u10"); n != 1 {
		t.Errorf("with one client left u10 has %d sessions", n)
	}
}

// A process of the server goes on to other sessions. Each of them counts from the
// moment on at which its client knows that it is logged in, and does not when it is over.
func TestSessionsTakeTurns(t *testing.T) {
	srv := Dovecot(t)
	for i := range 50 {
		user := "u" + strconv.Itoa(i)
		c, _ := dialRaw(t, srv)
		c.ok("LOGIN " + user + " secret")
		if n := srv.sessions(user); n != 1 {
			t.Fatalf("with the client number %d logged in, %s has %d sessions", i, user, n)
		}
		c.conn.Close()
		srv.AwaitSessions(0)
		if n := srv.sessions(user); n != 0 {
			t.Fatalf("after it %s has %d sessions", user, n)
		}
	}
}
