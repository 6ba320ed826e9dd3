package lab

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sessionsTimeout is how long the server may take to notice that a client has
// gone and to finish what it had begun for it: over a line of 2 kB/s, what is still on
// its way takes a minute.
const sessionsTimeout = 2 * time.Minute

// AwaitSessions waits until the server has at most n sessions left: what clients
// asked for that are gone by now has been done then, or never will be. It needs
// /proc and skips the test without it.
func (srv *Server) AwaitSessions(n int) {
	srv.t.Helper()
	srv.awaitSessions("", func() int { return n })
}

// AwaitSessionsOf is AwaitSessions for one of several users at a time, of whose
// connections open tells the number whenever it is asked.
func (srv *Server) AwaitSessionsOf(user string, open func() int) {
	srv.t.Helper()
	srv.awaitSessions(user, open)
}

func (srv *Server) awaitSessions(user string, open func() int) {
	srv.t.Helper()
	for deadline := time.Now().Add(sessionsTimeout); ; time.Sleep(200 * time.Microsecond) {
		left := srv.sessions(user)
		if left <= open() {
			return
		}
		if time.Now().After(deadline) {
			srv.t.Errorf("the server still has %d sessions after %v", left, sessionsTimeout)
			return
		}
	}
}

// sessions returns the number of the user's sessions, or of all if user is empty.
// Dovecot has a process called imap for each, which shows whose session it has before
// the client is told that it is logged in, and shows "idling" when all is done; then
// it waits for another session. One that shows nothing has not had any yet.
func (srv *Server) sessions(user string) int {
	srv.t.Helper()
	n := 0
	for child := range bytes.FieldsSeq(srv.children()) {
		// A process that has gone meanwhile is no session.
		name, _ := os.ReadFile(filepath.Join("/proc", string(child), "comm"))
		if strings.TrimSpace(string(name)) != "imap" {
			continue
		}
		title, _ := os.ReadFile(filepath.Join("/proc", string(child), "cmdline"))
		_, of, busy := strings.Cut(string(title), "[")
		if busy && !strings.HasPrefix(of, "idling]") && (user == "" || strings.HasPrefix(of, user+" ")) {
			n++
		}
	}
	return n
}

// children lists the processes of the server. The kernel may leave out one of them
// while another ends, which is not on the list that it makes next: two lists that are
// equal leave nobody out. proc(5).
func (srv *Server) children() []byte {
	srv.t.Helper()
	master := strconv.Itoa(srv.process.cmd.Process.Pid)
	var before []byte
	for first := true; ; first = false {
		now, err := os.ReadFile(filepath.Join("/proc", master, "task", master, "children"))
		if err != nil {
			srv.t.Skipf("whether the server is at rest cannot be seen here: %v", err)
		}
		if !first && bytes.Equal(before, now) {
			return now
		}
		before = now
	}
}
