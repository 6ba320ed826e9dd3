package trace

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// follow lets the program run to its end and disturbs it on the way.
func (t *tracee) follow() error {
	for {
		var status unix.WaitStatus
		thread, err := wait(-t.pid, &status)
		if errors.Is(err, unix.ECHILD) {
			return nil // the last thread is gone
		}
		if err != nil {
			return err
		}
		if !status.Stopped() {
			t.ended(thread, status)
			continue
		}
		if err := t.stopped(thread, status); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		// A thread that does not exist any more was killed in the meantime.
	}
}

// ended notes how the program ended, which is how its first thread did.
func (t *tracee) ended(thread int, status unix.WaitStatus) {
	if thread != t.pid {
		return
	}
	t.Exit = status.ExitStatus()
	if status.Signaled() {
		t.Signal = status.Signal()
	}
}

// stopped lets a thread go on that has stopped, after what has to be done.
func (t *tracee) stopped(thread int, status unix.WaitStatus) error {
	switch signal := status.StopSignal(); {
	case signal == unix.SIGTRAP|0x80:
		if thread == t.chosen {
			return t.kill() // the call has returned
		}
		return unix.PtraceCont(thread, 0)
	case signal == unix.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
		if t.chosen != 0 {
			// After the chosen call no other one begins: this thread waits here until
			// all are killed.
			return nil
		}
		return t.called(thread)
	case signal == unix.SIGTRAP:
		return unix.PtraceCont(thread, 0)
	case signal == unix.SIGSTOP:
		// Every new thread begins so. Nobody else sends this signal.
		return unix.PtraceCont(thread, 0)
	default:
		return unix.PtraceCont(thread, int(signal))
	}
}

func (t *tracee) kill() error { return os.NewSyscallError("kill", unix.Kill(t.pid, unix.SIGKILL)) }

// called is told of a call that a thread is about to make.
func (t *tracee) called(thread int) error {
	var regs registers
	if err := regs.read(thread); err != nil {
		return err
	}
	c := t.table[regs.number()]
	if c == nil {
		return fmt.Errorf("it stopped at call %d, which is none of ours", regs.number())
	}
	seen := c.look(thread, regs.arguments())
	if !t.Counts(seen) {
		return unix.PtraceCont(thread, 0)
	}
	t.Calls++
	if t.Calls != t.At {
		return unix.PtraceCont(thread, 0)
	}
	seen.Text = c.words(thread, regs.arguments(), seen)
	t.Hit = &seen
	switch t.Effect {
	case KillAfter:
		t.chosen = thread
		return unix.PtraceSyscall(thread, 0)
	case Fail:
		if err := fail(thread, &regs, t.Errno); err != nil {
			return err
		}
		return unix.PtraceCont(thread, 0)
	default:
		// A thread that is killed while it has stopped here does not make the call.
		t.chosen = thread
		return t.kill()
	}
}

// reap waits for the end of a program that was killed.
func (t *tracee) reap() error {
	for {
		var status unix.WaitStatus
		thread, err := wait(-t.pid, &status)
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		if err != nil {
			return err
		}
		if status.Stopped() {
			// The signal reaches it when it goes on; it may have done so already.
			_ = unix.PtraceCont(thread, 0)
		}
	}
}
