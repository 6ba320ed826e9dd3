package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

// openFixed opens for reading a database in a place where nobody, or at least not this
// user, may write. SQLite wants to make a file beside a database even to read it. Without
// that it can read one that does not change meanwhile; and where there is a log, as after a
// run that was killed, it reads a copy of both.
func (d *Directory) openFixed(ctx context.Context, path string, account Account, o Options) (*Store, error) {
	s := &Store{path: path, o: o, steps: d.steps, boot: d.boot, fixed: true}
	wal, err := os.Stat(path + "-wal")
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && wal.Size() == 0:
		return s, s.begin(ctx, account)
	case err != nil:
		return nil, err
	}
	if s.scratch, err = os.MkdirTemp("", "mailmoor-state-"); err != nil {
		return nil, err
	}
	s.fixed = false
	for _, suffix := range []string{"", "-wal"} {
		if err == nil {
			err = copyFile(path+suffix, filepath.Join(s.scratch, databaseName+suffix))
		}
	}
	if err == nil {
		err = s.begin(ctx, account)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.scratch))
	}
	return s, nil
}

// cannotWrite reports an error that comes of a place where this user may not write.
func cannotWrite(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_PERM ||
		errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}
