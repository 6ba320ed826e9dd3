package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mailmoor/state"
)

// noteSuffix is added to the database's name for the note that it is damaged.
const noteSuffix = ".damaged"

// noteBytesMax bounds a note, whose reason is an error's text.
const noteBytesMax = 64 << 10

// damageNote is what one opening, or one run, leaves for the next one to find.
type damageNote struct {
	// Reason is the error that was met.
	Reason state.Text `json:"reason"`
	// Aside is the directory, beside the database, that the damaged files go to.
	// While it is empty the damage is only suspected, and examined first.
	Aside string `json:"aside,omitempty"`
}

// readNote returns the note, and false when there is none. One that cannot be
// understood is a suspicion.
func readNote(path string) (damageNote, bool, error) {
	f, err := os.Open(path + noteSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return damageNote{}, false, nil
	}
	if err != nil {
		return damageNote{}, false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, noteBytesMax))
	if err != nil {
		return damageNote{}, false, err
	}
	var n damageNote
	if json.Unmarshal(data, &n) != nil || n.Aside != filepath.Base(n.Aside) && n.Aside != "" {
		n = damageNote{Reason: "an earlier run met damage"}
	}
	return n, true, nil
}

// writeNote leaves the note, durably.
func writeNote(path string, n damageNote) error {
	n.Reason = n.Reason[:min(len(n.Reason), noteBytesMax/8)]
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	draft := path + noteSuffix + ".tmp"
	if err := os.WriteFile(draft, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return publish(draft, path+noteSuffix)
}

// dropNote removes the note, durably.
func dropNote(path string) error {
	if err := os.Remove(path + noteSuffix); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// suspect leaves a note when err, met by the account's owner, speaks of damage: the
// next opening examines every row before anything is believed. Without the note that
// one would find a database that was closed cleanly.
func (s *Store) suspect(err error) {
	if s.o.Guest || s.writer == nil || !suspicious(err) {
		return
	}
	s.suspected.Do(func() {
		if noteErr := writeNote(s.path, damageNote{Reason: reasonOf(err)}); noteErr != nil {
			s.warn(fmt.Errorf("note the damage: %w", noteErr))
		}
	})
}

// damaged reports an error that says that the database is not what was written.
func damaged(err error) bool {
	if errors.Is(err, errDamaged) {
		return true
	}
	code := codeOf(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_FORMAT
}

// suspicious reports an error after which the database is examined, though it does not
// say itself that there is damage: a bit that flipped in the schema makes statements
// wrong that are right.
func suspicious(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_EMPTY:
		return true
	}
	return damaged(err)
}

// unusable reports an error of an opening after which the database cannot be worked
// with, and which time, room, rights and other programs have nothing to do with.
func unusable(path string, err error) bool {
	if errors.Is(err, errUpgrade) || errors.Is(err, errUnread) {
		return false
	}
	if suspicious(err) {
		return true
	}
	switch codeOf(err) {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG:
		return true
	case sqlite3.SQLITE_READONLY:
		// A header that speaks of a later format makes a file read-only.
		return unix.Access(path, unix.W_OK) == nil && unix.Access(filepath.Dir(path), unix.W_OK) == nil
	}
	return false
}

// codeOf returns the primary result code of SQLite in err, 0 without one.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff // the rest tells kinds of the same error apart
	}
	return 0
}
