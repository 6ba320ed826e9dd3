package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mailmoor/config"
	"mailmoor/state"
)

func TestExitOf(t *testing.T) {
	with := func(cause state.Cause) error {
		return fmt.Errorf("sync: %w", &state.Error{Scope: state.ScopeAccount, Cause: cause})
	}
	// The adapter takes a password that cannot be had for a login that failed.
	asked := func(err error) error {
		return &state.Error{Cause: state.CauseLogin, Err: &config.SecretError{Account: "work", Err: err}}
	}
	for _, test := range []struct {
		err  error
		want exitCode
	}{
		{nil, exitInStep},
		{errors.New("anything"), exitFailed},
		{&usageError{}, exitUsage},
		{&config.Error{}, exitUsage},
		{&config.NotFoundError{}, exitUsage},
		{with(state.CauseConfig), exitUsage},
		{with(state.CauseLogin), exitLogin},
		{asked(config.ErrNoSecret), exitUsage},
		{asked(errors.New("exit status 1")), exitFailed},
		{with(state.CauseTLS), exitFailed},
		{with(state.CauseDisk), exitFailed},
		{with(state.CauseLocked), exitLocked},
		{with(state.CauseNetwork), exitTemporary},
		{&errTimeout{}, exitTemporary},
		{ending(exitHeld), exitHeld},
	} {
		if got := exitOf(test.err); got != test.want {
			t.Errorf("%v: %d, want %d", test.err, got, test.want)
		}
	}
}

// TestWorst holds the order against what the documentation says.
func TestWorst(t *testing.T) {
	order := []exitCode{2, 3, 1, 4, 5, 75, 0}
	for i, bad := range order {
		for _, better := range order[i:] {
			if worst(bad, better) != bad || worst(better, bad) != bad {
				t.Errorf("of %d and %d the worse one is not %d", bad, better, bad)
			}
		}
	}
}

// TestHelpNamesExitCodes looks at every command that can do more than succeed
// or be misused.
func TestHelpNamesExitCodes(t *testing.T) {
	for command, codes := range map[string][]string{
		"sync":    {"0", "1", "2", "3", "4", "5", "75", "130", "143"},
		"approve": {"0", "1", "2", "3", "4", "5", "75", "130", "143"},
		"reject":  {"0", "1", "2", "3", "4", "5", "75", "130", "143"},
		"status":  {"0", "1", "2"},
		"holds":   {"0", "1", "2"},
		"demo":    {"0", "1"},
	} {
		stdout, _, code := runQuietly(t, command, "--help")
		if code != 0 {
			t.Errorf("%s --help: exit code %d", command, code)
		}
		for _, want := range codes {
			if !strings.Contains(stdout, fmt.Sprintf("\n  %3s  ", want)) {
				t.Errorf("%s --help does not name exit code %s:\n%s", command, want, stdout)
			}
		}
	}
}

func TestBecause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := errors.New("read: connection closed")
	if got := because(ctx, failed); got != failed { //nolint:errorlint // the very same
		t.Errorf("%v while the run goes on", got)
	}
	reason := &errTimeout{"time is up"}
	cancel(reason)
	if got := because(ctx, failed); got != reason { //nolint:errorlint // the very same
		t.Errorf("%v after the run was told to end", got)
	}
	if got := because(ctx, nil); got != nil {
		t.Errorf("%v although the run had come to its end", got)
	}
}

// runQuietly runs the program without a terminal, a configuration and input.
func runQuietly(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, messages bytes.Buffer
	args = append([]string{"--config", t.TempDir() + "/none.toml"}, args...)
	code = run(args, strings.NewReader(""), &out, &messages)
	return out.String(), messages.String(), code
}
