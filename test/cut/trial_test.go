package cut

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// trial stands for a test while one place is tried. What fails then is collected
// instead, so that the loop can say how to play it again and go on.
type trial struct {
	testing.TB
	mu     sync.Mutex
	failed bool
	log    []string
}

// try runs do, which may end early as a test may, and returns what failed.
func try(t testing.TB, do func(testing.TB)) string {
	t.Helper()
	r := &trial{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(r)
	}()
	<-done
	if !r.Failed() {
		return ""
	}
	return strings.Join(r.log, "\n")
}

func (r *trial) note(failed bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || failed
	r.log = append(r.log, strings.TrimRight(text, "\n"))
}

// Helper, Log and the methods below are those of testing.TB.
func (r *trial) Helper()                    {}
func (r *trial) Log(args ...any)            { r.note(false, fmt.Sprintln(args...)) }
func (r *trial) Logf(f string, args ...any) { r.note(false, fmt.Sprintf(f, args...)) }
func (r *trial) Error(args ...any)          { r.note(true, fmt.Sprintln(args...)) }
func (r *trial) Errorf(f string, args ...any) {
	r.note(true, fmt.Sprintf(f, args...))
}
func (r *trial) Fail() { r.note(true, "") }

func (r *trial) FailNow() {
	r.Fail()
	runtime.Goexit()
}

func (r *trial) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *trial) Fatalf(f string, args ...any) {
	r.Errorf(f, args...)
	runtime.Goexit()
}

func (r *trial) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func TestTrial(t *testing.T) {
	if failure := try(t, func(t testing.TB) { t.Log("fine") }); failure != "" {
		t.Errorf("a trial that does not fail fails with %q", failure)
	}
	failure := try(t, func(t testing.TB) {
		t.Errorf("first %d", 1)
		for i := range 2 {
			t.Fatalf("second %d", i) // nothing follows
		}
	})
	if failure != "first 1\nsecond 0" {
		t.Errorf("a trial fails with %q", failure)
	}
}
