package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"mailmoor/config"
	"mailmoor/state"
)

// prompter asks for passwords on the terminal, one at a time.
type prompter struct {
	ui *ui
	mu sync.Mutex
}

// prompt returns what asks the user, nil when nobody can be asked.
func (p *prompter) prompt() config.Prompt {
	f, ok := p.ui.stdin.(*os.File)
	if !ok || !isTerminal(p.ui.stdin) || !isTerminal(p.ui.stderr) {
		return nil
	}
	return func(ctx context.Context, label string) (string, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.ask(ctx, int(f.Fd()), label)
	}
}

// ask reads one line without echo. When ctx ends first, the terminal gets its
// echo back; the read itself can only be left to the end of the process.
func (p *prompter) ask(ctx context.Context, fd int, label string) (string, error) {
	// Before the prompt: what is typed the moment it shows must not be seen.
	restore, err := silence(fd)
	if err != nil {
		return "", err
	}
	defer restore()
	defer p.ui.ask(state.Textf("%s: ", state.Foreign(label)))()
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		answers <- answer{text, err}
	}()
	select {
	case got := <-answers:
		return string(got.text), got.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// silence turns the echo of a terminal off, and returns what turns it on again.
func silence(fd int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, ttyGet)
	if err != nil {
		return nil, fmt.Errorf("look at the terminal: %w", err)
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, ttySet, &quiet); err != nil {
		return nil, fmt.Errorf("turn the terminal's echo off: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, ttySet, before) }, nil
}

// once caches the secret of an account for one run, so that several connections
// ask but once.
type once struct {
	ask func(context.Context) (string, error)

	mu     sync.Mutex
	known  bool
	secret string
}

// get returns the secret. An error is not kept: the next connection may have
// more luck with an agent that was locked.
func (o *once) get(ctx context.Context) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known {
		return o.secret, nil
	}
	secret, err := o.ask(ctx)
	if err == nil {
		o.secret, o.known = secret, true
	}
	return secret, err
}
