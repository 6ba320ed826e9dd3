package trace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// childVariable makes this test binary the program that is traced.
const childVariable = "MAILMOOR_TRACE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		child(dir)
		os.Exit(7)
	}
	os.Exit(m.Run())
}

const (
	workers = 4
	each    = 10
)

// child makes directories in several threads at once and says which it could not
// make.
func child(dir string) {
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("%d-%d", w, i)), 0o700); err != nil {
					fmt.Println(err)
				}
			}
		})
	}
	group.Wait()
}

func isMkdir(c Call) bool { return strings.HasPrefix(c.Name, "mkdir") }

// runChild runs the program and returns what it made.
func runChild(t *testing.T, order Order) (Result, []string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{childVariable + "=" + dir}
	order.Counts, order.Timeout = isMkdir, time.Minute
	result, err := Run(cmd, order)
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("ptrace is not allowed here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return result, made
}

func TestUndisturbed(t *testing.T) {
	result, made := runChild(t, Order{})
	if result.Calls != workers*each || len(made) != workers*each || result.Exit != 7 || result.Hit != nil || result.Output != "" {
		t.Errorf("the result is %+v with %d directories", result, len(made))
	}
	if result, made = runChild(t, Order{At: workers*each + 1}); result.Hit != nil || len(made) != workers*each {
		t.Errorf("one call more than there are was disturbed: %+v", result)
	}
}

// TestKill: the chosen call has had its effect or not, and none has begun after it.
// Other threads may have been inside of a call.
func TestKill(t *testing.T) {
	for at := 1; at <= workers*each; at++ {
		for effect, own := range map[Effect]int{KillBefore: 0, KillAfter: 1} {
			result, made := runChild(t, Order{Effect: effect, At: at})
			if result.Signal != syscall.SIGKILL || result.Exit != -1 || result.Hit == nil {
				t.Fatalf("the result is %+v, want a killed program", result)
			}
			_, path, _ := strings.Cut(result.Hit.Text, `"`)
			path = strings.TrimRight(path, `")`)
			if _, err := os.Stat(path); (err == nil) != (own == 1) || !filepath.IsAbs(path) {
				t.Errorf("effect %d of %s: %v", effect, result.Hit.Text, err)
			}
			if result.Calls != at || len(made) > at-1+own || len(made) < at-workers {
				t.Errorf("effect %d: %d directories after %d calls, of which number %d was to be the last", effect, len(made), result.Calls, at)
			}
		}
	}
}

func TestFail(t *testing.T) {
	for at := 1; at <= workers*each; at += 7 {
		result, made := runChild(t, Order{Effect: Fail, Errno: syscall.ENOSPC, At: at})
		if result.Exit != 7 || len(made) != workers*each-1 || strings.Count(result.Output, syscall.ENOSPC.Error()) != 1 {
			t.Errorf("call %d: the result is %+v with %d directories, want one that failed", at, result, len(made))
		}
	}
}

func TestOverdue(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
	result, err := Run(cmd, Order{Counts: isMkdir, Timeout: 50 * time.Millisecond})
	if err != nil || !result.Overdue || result.Signal != syscall.SIGKILL {
		t.Errorf("%+v, %v; want a program that was stopped", result, err)
	}
}

// TestObjects: what a call is about decides whether it counts.
func TestObjects(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", "echo text >"+strconv.Quote(dir+"/file")+"; echo hello")
	seen := make(map[Call]int)
	result, err := Run(cmd, Order{Timeout: time.Minute, Counts: func(c Call) bool {
		if c.Name == "write" || c.Creates {
			seen[c]++
			return true
		}
		return false
	}})
	if err != nil || result.Output != "hello\n" || result.Exit != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	want := map[Call]int{
		{Name: "openat", Creates: true}: 1, {Name: "write", Object: dir + "/file"}: 1, {Name: "write", Object: "/memfd:output (deleted)"}: 1,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
