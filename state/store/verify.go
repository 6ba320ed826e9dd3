package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
)

// verifyFile examines all of a database that nobody works with.
func verifyFile(ctx context.Context, path string, steps []string) error {
	db, err := sql.Open("sqlite", dsn(path, "ro"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	return verify(ctx, db, path, steps)
}

// verify examines everything in a database of the newest schema: its pages, its
// schema, and the checksum of every row that the engine would believe.
func verify(ctx context.Context, db *sql.DB, path string, steps []string) error {
	var finding string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&finding); err != nil {
		return err
	}
	if err := findingError(finding); err != nil {
		return err
	}
	if err := verifySchema(ctx, db, steps); err != nil {
		return err
	}
	var orphans int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil {
		return err
	}
	if orphans > 0 {
		return fmt.Errorf("%w: %d rows belong to nothing", errDamaged, orphans)
	}
	return verifyRows(ctx, &Store{path: path, reader: db})
}

// verifyRows reads every row. The readers check what they read.
func verifyRows(ctx context.Context, s *Store) error {
	mailboxes, err := s.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, m := range mailboxes {
		if _, err := s.Records(ctx, m.Name); err != nil {
			return err
		}
	}
	_, intents := s.Intents(ctx)
	_, holds := s.Holds(ctx)
	_, held := s.HeldFiles(ctx, math.MinInt64)
	_, givenUp := s.givenUpSince(ctx, math.MinInt64)
	_, buried := s.tombstonesSince(ctx, math.MinInt64)
	_, strays := s.StrayNotes(ctx)
	_, _, run := s.LastRun(ctx)
	return errors.Join(intents, holds, held, givenUp, buried, strays, run)
}

// verifySchema compares the schema with the one that the steps make: a definition
// that changed its text would change what SQLite makes of the pages.
func verifySchema(ctx context.Context, db *sql.DB, steps []string) error {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1) // each connection would have a database of its own
	for _, step := range steps {
		if _, err := fresh.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("make the schema: %w", err)
		}
	}
	want, err := definitions(ctx, fresh)
	if err != nil {
		return err
	}
	got, err := definitions(ctx, db)
	if err != nil {
		return err
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("%w: its schema is not the one that it names", errDamaged)
	}
	return nil
}

// definitions returns the text of the schema.
func definitions(ctx context.Context, db queryer) ([]string, error) {
	rows, err := db.QueryContext(ctx,
		"SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (text string, err error) {
		err = rows.Scan(&text)
		return text, err
	})
}
