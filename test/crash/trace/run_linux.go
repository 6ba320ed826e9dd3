package trace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Effect is what happens at the chosen call.
type Effect uint8

// The effects.
const (
	// KillBefore kills the program when the call has not had its effect.
	KillBefore Effect = iota
	// KillAfter kills it when the call has had its effect and the program does
	// not know yet.
	KillAfter
	// Fail makes the call fail without happening.
	Fail
)

// Order says which call is disturbed, and how.
type Order struct {
	Effect Effect
	// Errno is how a call fails.
	Errno syscall.Errno
	// At is the number of the call among those that count, from 1. 0 disturbs
	// none.
	At int
	// Counts reports whether a call counts.
	Counts func(Call) bool
	// Timeout is how long the program may run.
	Timeout time.Duration
}

// Result is what came of a run.
type Result struct {
	// Calls is how many calls counted.
	Calls int
	// Hit is the call that was disturbed, nil when the program did not make so many.
	Hit *Call
	// Exit is the exit code, -1 when a signal ended the program.
	Exit   int
	Signal syscall.Signal
	// Output is what it wrote to stdout and stderr.
	Output string
	// Overdue is true when it was killed because it ran for too long.
	Overdue bool
}

// Run runs the command to its end. Of cmd it uses Path, Args, Env and Dir. A
// program that it starts gets no tracer: calls that would be counted fail there.
func Run(cmd *exec.Cmd, order Order) (Result, error) {
	type outcome struct {
		Result
		error
	}
	done := make(chan outcome)
	go func() {
		// All requests must come from the thread that started the program. The
		// thread ends with the goroutine, because it stays locked.
		runtime.LockOSThread()
		result, err := run(cmd, order)
		done <- outcome{result, err}
	}()
	o := <-done
	return o.Result, o.error
}

// tracee is a program under trace.
type tracee struct {
	Order
	Result
	pid   int
	table map[uint64]*call
	// chosen is the thread at whose call the program is killed, 0 before that.
	chosen int
}

func run(cmd *exec.Cmd, order Order) (Result, error) {
	output, err := memoryFile("output")
	if err != nil {
		return Result{}, err
	}
	defer output.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return Result{}, err
	}
	defer null.Close()
	t := &tracee{Order: order, table: make(map[uint64]*call)}
	t.pid, err = syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{
		Dir: cmd.Dir, Env: cmd.Env, Files: []uintptr{null.Fd(), output.Fd(), output.Fd()},
		// In a group of its own, all its threads can be waited for, and nothing else.
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if err != nil {
		return Result{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	alarm := time.AfterFunc(order.Timeout, t.overdue)
	err = t.begin()
	if err == nil {
		err = t.follow()
	}
	if !alarm.Stop() {
		t.Overdue = true
	}
	if err != nil {
		_ = unix.Kill(t.pid, unix.SIGKILL)
		return Result{}, errors.Join(fmt.Errorf("trace %s: %w", cmd.Path, err), t.reap())
	}
	if _, err := output.Seek(0, io.SeekStart); err != nil {
		return Result{}, err
	}
	text, err := io.ReadAll(output)
	t.Output = string(text)
	return t.Result, err
}

// overdue ends the program, which is still there as long as its end was not
// waited for.
func (t *tracee) overdue() { _ = unix.Kill(t.pid, unix.SIGKILL) }

func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// begin prepares the program, which has stopped at its first instruction.
func (t *tracee) begin() error {
	if err := t.awaitTrap(); err != nil {
		return err
	}
	options := unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD
	if err := unix.PtraceSetOptions(t.pid, options); err != nil {
		return os.NewSyscallError("ptrace", err)
	}
	table := calls()
	for i := range table {
		t.table[uint64(table[i].number)] = &table[i]
	}
	if err := t.install(filter(table)); err != nil {
		return err
	}
	return unix.PtraceCont(t.pid, 0)
}

// awaitTrap waits until the program stops with SIGTRAP.
func (t *tracee) awaitTrap() error {
	var status unix.WaitStatus
	if _, err := wait(t.pid, &status); err != nil {
		return err
	}
	if !status.Stopped() || status.StopSignal() != unix.SIGTRAP {
		return fmt.Errorf("it stopped with status %#x instead of a trap", uint32(status))
	}
	return nil
}

func wait(pid int, status *unix.WaitStatus) (int, error) {
	for {
		thread, err := unix.Wait4(pid, status, unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return thread, os.NewSyscallError("wait4", err)
		}
	}
}
