package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mailmoor/state"
)

// fail turns err into an error of the account that names the database. Damage is also
// noted for the next opening.
func (s *Store) fail(doing state.Text, err error) error {
	s.suspect(err)
	return failure(s.path, doing, err)
}

// failure says what a database error means for the user. An error that says so
// already is passed on.
func failure(path string, doing state.Text, err error) error {
	if e, ok := errors.AsType[*state.Error](err); ok {
		return e
	}
	if damaged(err) && !errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	fail := &state.Error{Scope: state.ScopeAccount, Doing: doing, Err: fmt.Errorf("%s: %w", path, err)}
	code := codeOf(err)
	switch {
	case suspicious(err):
		fail.Cause = state.CauseDisk
		fail.Hint = damagedHint
	case noRoom(err):
		fail.Cause = state.CauseDisk
		fail.Hint = roomHint
	case ioFailed(err):
		fail.Cause = state.CauseDisk
		fail.Hint = state.Textf("check the disk, and that the user who runs mailmoor may write to %s; "+
			"then run `mailmoor sync` again", filepath.Dir(path))
	case cannotWrite(err):
		fail.Cause = state.CauseDisk
		fail.Hint = state.Textf("check the disk, and that the user who runs mailmoor may write to %s", filepath.Dir(path))
	case code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED:
		fail.Cause = state.CauseLocked
		fail.Hint = "another program keeps the database locked: end it, or wait"
	}
	return fail
}

// ioFailed reports an error of the disk, which says nothing of what lies on it.
func ioFailed(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_IOERR || code == sqlite3.SQLITE_CANTOPEN ||
		errors.Is(err, errUnread) || errors.Is(err, syscall.EIO)
}

// systemFailed reports an error of the system, such as the want of room or of descriptors,
// which says nothing of the database either.
func systemFailed(err error) bool {
	_, system := errors.AsType[syscall.Errno](err)
	return system || ioFailed(err) || noRoom(err)
}

// roomHint is for a full disk.
const roomHint = "the disk of the state directory is full: make room on it; what was done until then is kept, and the next run goes on from there"

// noSpace reports whether the disk, or the user's share of it, is full.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// noRoom is noSpace for errors of SQLite, too.
func noRoom(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		// The shared memory is a file beside the database.
		return codeOf(err) == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
	}
	return noSpace(err)
}

// damagedHint is for damage that is met in the middle of a run, or by a guest.
const damagedHint = "check the disk, and run `mailmoor sync` again: it examines the state, restores the newest good copy " +
	"of it if need be, and removes nothing then"
