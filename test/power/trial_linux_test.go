package power

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// trial stands for a test during one cut. What fails is collected, so that the
// loop can say how to play it again, and go on.
type trial struct {
	testing.TB
	failures []string
}

// try runs do, which may end early as a test may, and returns what failed.
func try(t testing.TB, do func(testing.TB)) []string {
	r := &trial{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(r)
	}()
	<-done
	return r.failures
}

// Helper and the methods below are those of testing.TB.
func (r *trial) Helper() {}

func (r *trial) Errorf(format string, args ...any) {
	r.failures = append(r.failures, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *trial) Error(args ...any) { r.Errorf("%s", fmt.Sprintln(args...)) }

func (r *trial) Fail() { r.Errorf("it fails") }

func (r *trial) FailNow() {
	r.Fail()
	runtime.Goexit()
}

func (r *trial) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *trial) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *trial) Failed() bool { return len(r.failures) > 0 }

func TestTrial(t *testing.T) {
	if failures := try(t, func(testing.TB) {}); len(failures) > 0 {
		t.Errorf("what does not fail failed with %q", failures)
	}
	reached := false
	failures := try(t, func(t testing.TB) {
		t.Errorf("first %d", 1)
		must(t, errors.New("second"))
		reached = true
	})
	if len(failures) != 2 || failures[0] != "first 1" || failures[1] != "second" || reached {
		t.Errorf("failures are %q; it went on after the last one: %t", failures, reached)
	}
}
