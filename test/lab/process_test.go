package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A test that dies cannot stop its server. This one starts itself again, lets
// that process die with a server running and looks what is left.
func TestServerDoesNotOutliveTheTest(t *testing.T) {
	const orphan = "MAILMOOR_TEST_ORPHAN"
	Require(t, "dovecot")
	if os.Getenv(orphan) != "" {
		srv, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\nserver %s %s\n", srv.dir, srv.PlainAddr())
		os.Exit(3)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), orphan+"=1")
	out, err := cmd.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("the process ended with %v: %s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "\nserver ")
	var dir, addr string
	if _, err := fmt.Sscan(rest, &dir, &addr); err != nil {
		t.Fatalf("output %q: %v", out, err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, dialErr := net.Dial("tcp", addr)
		if dialErr == nil {
			conn.Close()
		}
		_, statErr := os.Stat(dir)
		if dialErr != nil && errors.Is(statErr, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: listener %v, directory %v", dialErr == nil, statErr == nil)
		}
	}
}

// recorder is a test that notes how it was ended first; a real one would not
// get further.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Skip(args ...any)          { r.end("skip: " + fmt.Sprint(args...)) }
func (r *recorder) Fatalf(f string, a ...any) { r.end("fatal: " + fmt.Sprintf(f, a...)) }

func (r *recorder) end(how string) {
	if r.ended == "" {
		r.ended = how
	}
}

func TestRequire(t *testing.T) {
	for _, tt := range []struct{ ci, promised, program, want string }{
		{"", "", "sh", ""},
		{"true", "1", "sh", ""},
		{"", "", "no-such-program", "skip: no-such-program is not installed"},
		{"true", "", "no-such-program", "fatal: no-such-program is not installed"},
		{"", "1", "no-such-program", "fatal: no-such-program is not installed"},
	} {
		t.Setenv("CI", tt.ci)
		t.Setenv("MAILMOOR_REQUIRE_SERVERS", tt.promised)
		r := &recorder{TB: t}
		Require(r, tt.program)
		if !strings.HasPrefix(r.ended, tt.want) || (tt.want == "") != (r.ended == "") {
			t.Errorf("%+v ends with %q", tt, r.ended)
		}
	}
}
