package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// wrap makes err an error of the given scope that says what was being done. A
// full or broken disk concerns more than one message, whatever the caller says.
func wrap(scope state.Scope, err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	var known *state.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &state.Error{Scope: scope, Cause: state.CauseDisk, Doing: state.Textf(doing, args...), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Cause = state.CauseGone
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Scope, e.Hint = state.ScopeAccount, "free some space on the disk or raise the quota"
	case errors.Is(err, unix.EROFS):
		e.Scope, e.Hint = state.ScopeAccount, "the file system is mounted read-only: remount it read-write"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		e.Scope, e.Hint = state.ScopeAccount, "too many files are open: raise the limit (ulimit -n)"
	case errors.Is(err, unix.ENAMETOOLONG):
		e.Hint = "give the file or directory a shorter name: most file systems allow 255 bytes"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "make the path readable and writable for the user that runs mailmoor"
	case errors.Is(err, unix.EINVAL):
		e.Hint = "perhaps the file system does not take the name: FAT and some network mounts take few signs"
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ESTALE):
		e.Hint = "look at the system log: the disk or the network mount has a fault"
	}
	return e
}

// refuse is an error that no system call reported.
func refuse(scope state.Scope, cause state.Cause, hint, doing state.Text, format string, args ...any) error {
	return &state.Error{Scope: scope, Cause: cause, Doing: doing, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// stale says that a file is not what the plan saw any more.
func stale(doing state.Text, format string, args ...any) error {
	return refuse(state.ScopeMessage, state.CauseStale, "", doing, format, args...)
}
