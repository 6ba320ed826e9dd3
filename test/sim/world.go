// Package sim simulates the world that the engine works in: a server with any
// number of connections, a Maildir tree with a user who changes it, and a
// store. The three implement the ports of the engine in memory, keep to the
// same contracts as the real adapters (test/conformance holds both to them),
// and share a World: a clock that only a test advances, and a hook that can
// inject an error or a crash before and after every effect.
//
// Nothing here depends on time, on a random source or on the order of a map:
// the same calls give the same results.
package sim

import (
	"errors"
	"sync"
)

// Step is one moment at which something can go wrong.
type Step struct {
	// Op names the operation: "remote.append", "local.commit", "store.settle".
	Op string
	// Subject is the mailbox, folder or message that it is about.
	Subject string
	// After is false before the effect and true after it.
	After bool
}

// Fault decides what goes wrong at a step. Returning nil lets the work go on.
// An error before the effect prevents it; an error after it only hides it. A
// *state.Error reaches the engine as it is; any other error is a lost
// connection on the remote side and a failing disk on the local one. ErrKilled,
// or a panic with Crash, ends the process at this step.
//
// A Fault may act as another user on the server and the tree. It must not call
// the ports, which would be the engine calling itself.
type Fault func(Step) error

// crash is the type of Crash, so that no other value equals it.
type crash string

// Crash is the value that a Fault panics with to end the process like kill -9.
// The panic passes through the engine's goroutine; the effects of its deferred
// calls do not happen any more, because the world is dead until Restart.
const Crash crash = "simulated kill -9"

// ErrKilled ends the process without a panic: the step and all that follow it
// fail and have no effect until Restart. It suits an engine that works in
// several goroutines, where a panic could not be recovered by the test.
var ErrKilled = errors.New("the process was killed")

// World is what the fakes of one test share. Its methods may be called from
// any goroutine.
type World struct {
	mu    sync.Mutex
	now   int64
	fault Fault
	dead  bool
	life  int
	steps int

	// hooking is held while a Fault runs, so that one step is taken at a time.
	hooking sync.Mutex
}

// NewWorld returns a world without faults at the time now in Unix seconds.
func NewWorld(now int64) *World { return &World{now: now} }

// Now returns the time in Unix seconds.
func (w *World) Now() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Advance moves the clock forward.
func (w *World) Advance(seconds int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now += seconds
}

// SetFault installs the hook; nil removes it.
func (w *World) SetFault(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// Steps returns how many steps have been taken since the world began. A test
// that counts a run without faults knows where the next ones can be cut.
func (w *World) Steps() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steps
}

// Dead reports whether the process was killed and not restarted.
func (w *World) Dead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

// Restart begins a new life of the process: effects happen again, and the
// connections of the life before stay lost. The caller has waited until the
// killed engine returned.
func (w *World) Restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
	w.life++
}

// lifetime returns the number of the present life.
func (w *World) lifetime() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.life
}

// step takes one step. It is called without any lock of a fake held, so that
// the Fault can act as another user.
func (w *World) step(op, subject string, after bool) error {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return ErrKilled
	}
	w.steps++
	fault := w.fault
	w.mu.Unlock()
	if fault == nil {
		return nil
	}
	w.hooking.Lock()
	defer w.hooking.Unlock()
	survived := false
	defer func() {
		if !survived {
			w.kill()
		}
	}()
	err := fault(Step{Op: op, Subject: subject, After: after})
	survived = !errors.Is(err, ErrKilled)
	return err
}

func (w *World) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}
