package lab

import (
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
	for deadline := time.Now().Add(sessionsTimeout); ; time.Sleep(200 * time.Microsecond) {
		left := srv.sessions()
		if left <= n {
			return
		}
		if time.Now().After(deadline) {
			srv.t.Errorf("the server still has %d sessions after %v", left, sessionsTimeout)
			return
		}
	}
}

// sessions returns the number of sessions: Dovecot has one process called imap
// for each, and ends it with the session.
func (srv *Server) sessions() int {
	srv.t.Helper()
	master := strconv.Itoa(srv.process.cmd.Process.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", master, "task", master, "children"))
	if err != nil {
		srv.t.Skipf("whether the server is at rest cannot be seen here: %v", err)
	}
	n := 0
	for child := range strings.FieldsSeq(string(children)) {
		// A process that has gone meanwhile is no session.
		name, _ := os.ReadFile(filepath.Join("/proc", child, "comm"))
		if strings.TrimSpace(string(name)) == "imap" {
			n++
		}
	}
	return n
}
