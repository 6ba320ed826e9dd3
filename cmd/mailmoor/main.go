// Command mailmoor keeps IMAP accounts and local Maildir trees in step.
//
// This package is wiring and words to the user. What becomes of a message is
// decided elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// version is set by the linker. See versionText.
var version string

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the whole program but for the end of the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	harden()
	ctx, stop := untilSignal(context.Background())
	defer stop()
	a := newApp(stdin, stdout, stderr)
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if s := new(signalError); errors.As(context.Cause(ctx), &s) {
		return signalled + int(s.signal)
	}
	return int(a.conclude(err))
}

// harden keeps others from reading what this process makes, and secrets out of
// core files. Where the system does not let us, the rest still holds.
func harden() {
	unix.Umask(0o077)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

// signalError is why a run was told to end.
type signalError struct{ signal syscall.Signal }

func (e *signalError) Error() string {
	return fmt.Sprintf("ended by %s; what was done until then is kept", unix.SignalName(e.signal))
}

// endings are the signals that end a run in good order. A closed terminal is one, unless
// nohup or the like has seen to it that it is none.
func endings() []os.Signal {
	list := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// untilSignal returns a context that ends with the first of the endings, so that the run
// ends in good order. The second one does what it always does.
func untilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endings()...)
	// Nobody reads on, as after "| head": no reason to end in the middle of something.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if number, ok := s.(syscall.Signal); ok {
				cancel(&signalError{number})
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
