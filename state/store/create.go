package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// create builds a database under a draft name and publishes it when its schema
// is complete. A draft that was not finished does not stay, so that it takes no
// room on a disk that is full.
func create(ctx context.Context, path string, steps []string, o Options) error {
	draft := path + ".new"
	if err := discard(draft); err != nil {
		return err
	}
	err := build(ctx, draft, steps, o)
	if err == nil {
		return publish(draft, path)
	}
	_ = discard(draft) // the next run tries again
	return err
}

// discard removes a database that was never published.
func discard(draft string) error {
	for _, name := range []string{draft, draft + "-journal", draft + "-wal", draft + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// build makes a database with the schema.
func build(ctx context.Context, draft string, steps []string, o Options) error {
	// The new file takes its mode from account.json, so that it is at no time
	// readable for others. https://www.sqlite.org/uri.html, modeof.
	like := filepath.Join(filepath.Dir(draft), accountName)
	// Without a write-ahead log: what a full disk keeps from being folded into
	// the file would be missing there, and closing does not tell.
	db, err := sql.Open("sqlite", dsn(draft, "rwc", "modeof", like))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if err := migrate(ctx, db, steps, 0, o); err != nil {
		return err
	}
	return db.Close()
}

// publish makes a finished file durable and gives it its name.
func publish(draft, name string) error {
	if err := os.Chmod(draft, 0o600); err != nil {
		return err
	}
	f, err := os.Open(draft)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}
