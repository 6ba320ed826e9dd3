package store

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// The environment of the process that TestCrashHelper is.
const (
	crashDirectory = "MAILMOOR_TEST_CRASH"
	crashPoint     = "MAILMOOR_TEST_CRASH_POINT"
)

// TestCrashHelper is not a test: it is a process that kills itself at a point.
func TestCrashHelper(t *testing.T) {
	if os.Getenv(crashDirectory) == "" {
		t.Skip("only for the other test")
	}
	s := open(t, directoryAt(t, os.Getenv(crashDirectory)), Options{Hook: func(point string) {
		if point == os.Getenv(crashPoint) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}})
	putMailboxes(t, s, "INBOX")
	must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 1, "a")}))
	must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{paired("INBOX", 1, "a")}, Done: []int64{1}}))
	_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
	must(t, err)
	must(t, s.ForgetMailbox(t.Context(), "INBOX"))
}

// TestKilled kills a process right after each of its transactions, and expects
// all of them up to there, and none after.
func TestKilled(t *testing.T) {
	type counts struct{ Mailboxes, Intents, Records, Holds int }
	tests := []struct {
		point string
		want  counts
	}{
		{pointCreated, counts{}},
		{pointMailbox, counts{Mailboxes: 1}},
		{pointIntended, counts{Mailboxes: 1, Intents: 1}},
		{pointSettled, counts{Mailboxes: 1, Records: 1}},
		{pointHolds, counts{Mailboxes: 1, Records: 1, Holds: 1}},
		{pointForgotten, counts{}},
		{pointClosed, counts{}},
	}
	for _, test := range tests {
		t.Run(test.point, func(t *testing.T) {
			d := newDirectory(t)
			cmd := exec.Command(os.Args[0], "-test.run=^TestCrashHelper$")
			cmd.Env = append(os.Environ(), crashDirectory+"="+d.path, crashPoint+"="+test.point)
			out, err := cmd.CombinedOutput()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the other process was not killed: %v\n%s", err, out)
			}
			s := open(t, d, Options{})
			a, err := readAccount(t, s)
			must(t, err)
			got := counts{len(a.mailboxes), len(a.intents), len(a.records), len(a.holds)}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("after the crash (-want +got):\n%s", diff)
			}
		})
	}
}
