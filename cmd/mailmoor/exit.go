package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"mailmoor/config"
	"mailmoor/state"
)

// exitCode is what the process ends with.
type exitCode int

// The exit codes. exitTable says what they mean.
const (
	exitInStep    exitCode = 0
	exitFailed    exitCode = 1
	exitUsage     exitCode = 2
	exitLogin     exitCode = 3
	exitHeld      exitCode = 4
	exitLocked    exitCode = 5
	exitTemporary exitCode = 75 // EX_TEMPFAIL of sysexits.h
)

// signalled is added to the number of the signal that ended a run, as shells do.
const signalled = 128

// exitMeaning is one row of exitTable.
type exitMeaning struct {
	code exitCode
	text state.Text
}

// exitTable lists the codes from the worst to the best. With several accounts
// the worst one counts.
func exitTable() []exitMeaning {
	return []exitMeaning{
		{exitUsage, "the command line or the configuration cannot be used"},
		{exitLogin, "the server refused the login"},
		{exitFailed, "something failed; the messages say what"},
		{exitHeld, "removals wait for your approval: see mailmoor holds"},
		{exitLocked, "another process is working on the account"},
		{exitTemporary, "the network or the server is away, or both sides keep changing; the next run may do"},
		{exitInStep, "success"},
	}
}

// exitHelp is the part of a command's help about the codes that it can return.
func exitHelp(codes ...exitCode) string {
	var b strings.Builder
	b.WriteString("\nExit codes:\n")
	rows := exitTable()
	slices.SortFunc(rows, func(x, y exitMeaning) int { return cmp.Compare(x.code, y.code) })
	for _, row := range rows {
		if slices.Contains(codes, row.code) {
			fmt.Fprintf(&b, "  %3d  %s\n", row.code, row.text)
		}
	}
	if len(codes) > 3 {
		fmt.Fprintf(&b, "  %3d  interrupted (SIGINT, Ctrl-C); what was done until then is kept\n", signalled+syscall.SIGINT)
		fmt.Fprintf(&b, "  %3d  told to end (SIGTERM), or the terminal was closed (SIGHUP, %d); likewise\n",
			signalled+syscall.SIGTERM, signalled+syscall.SIGHUP)
		b.WriteString("With several accounts the worst one counts, in the order 2 3 1 4 5 75.\n")
	}
	return b.String()
}

// allExits are the codes of a command that works on accounts.
func allExits() []exitCode {
	codes := make([]exitCode, 0, 7)
	for _, row := range exitTable() {
		codes = append(codes, row.code)
	}
	return codes
}

// worst returns the worse of two codes.
func worst(a, b exitCode) exitCode {
	rank := func(code exitCode) int {
		return slices.IndexFunc(exitTable(), func(row exitMeaning) bool { return row.code == code })
	}
	if rank(b) < rank(a) {
		return b
	}
	return a
}

// exitStatus ends a command with a code after everything has been said.
type exitStatus struct{ code exitCode }

func (e *exitStatus) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// ending returns the error that ends a command with code, nil for success.
func ending(code exitCode) error {
	if code == exitInStep {
		return nil
	}
	return &exitStatus{code}
}

// usageError is a command line that cannot be understood.
type usageError struct {
	text, hint state.Text
}

func (e *usageError) Error() string { return string(e.text) }

// errTimeout is why a run with --timeout was told to end.
type errTimeout struct{ text state.Text }

func (e *errTimeout) Error() string { return string(e.text) }

// exitOf returns the code that err stands for.
func exitOf(err error) exitCode {
	var (
		status   *exitStatus
		usage    *usageError
		invalid  *config.Error
		notFound *config.NotFoundError
		timeout  *errTimeout
		secret   *config.SecretError
	)
	switch {
	case err == nil:
		return exitInStep
	case errors.As(err, &status):
		return status.code
	case errors.As(err, &usage), errors.As(err, &invalid), errors.As(err, &notFound):
		return exitUsage
	case errors.As(err, &timeout):
		return exitTemporary
	case errors.Is(err, config.ErrNoSecret):
		return exitUsage
	case errors.As(err, &secret):
		// The server was never asked, and the next run may find the store of
		// passwords unlocked.
		return exitFailed
	}
	switch state.CauseOf(err) {
	case state.CauseConfig:
		return exitUsage
	case state.CauseLogin:
		return exitLogin
	case state.CauseLocked:
		return exitLocked
	case state.CauseNetwork:
		return exitTemporary
	default:
		return exitFailed
	}
}

// hintOf returns what the user can do about err, "" when nobody knows.
func hintOf(err error) state.Text {
	if e := new(state.Error); errors.As(err, &e) {
		return e.Hint
	}
	if e := new(usageError); errors.As(err, &e) {
		return e.hint
	}
	return ""
}

// because prefers the reason why ctx ended to what its end made of err.
func because(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}
