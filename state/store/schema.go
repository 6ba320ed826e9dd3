package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// applicationID marks the file as ours: "MOOR". SQLite, PRAGMA application_id.
const applicationID = 0x4d4f4f52

// The keys of the table meta. That table keeps its form in every schema, so
// that each program can read what a newer one left there.
const (
	metaClean   = "clean"   // "1" after a clean close, "0" while an owner writes
	metaProgram = "program" // version of the program that made this schema
	metaSchema  = "schema"  // PRAGMA user_version once more, since schema 2
	metaWritten = "written" // when the schema was made, Unix seconds
	// metaGeneration is that of the last run that changed something: see change.
	metaGeneration = "generation"
	// metaBoot is when the machine on which the owner writes was started: see bootID.
	metaBoot = "boot"
	metaNews = "news" // what the user has not been told yet, JSON
	// metaTrash is the mailbox that deleted messages go to.
	metaTrash = "trash"
	// metaTold begins the keys of what the user is told once.
	metaTold = "told:"
)

// schema returns the steps of the schema: step n leads from version n to n+1.
// A released step never changes. PRAGMA user_version holds the version.
func schema() []string { return []string{schemaV1, schemaV2, schemaV3, schemaV4, schemaV5} }

// migrate carries out the steps that lead from version to the newest schema, in
// one transaction. The version number comes last: what is interrupted before
// the commit never happened.
func migrate(ctx context.Context, db *sql.DB, steps []string, version int, o Options) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	for i, step := range steps[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("schema step %d: %w", version+i+1, err)
		}
	}
	for key, value := range map[string]string{
		metaProgram: o.Program,
		metaSchema:  strconv.Itoa(len(steps)),
		metaWritten: strconv.FormatInt(o.Now().Unix(), 10),
	} {
		if err := putMeta(ctx, tx, key, value); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}

// backup writes a copy of the database of that schema version beside it. A
// copy that is there already is from an upgrade that did not end, and is
// replaced.
func backup(ctx context.Context, db *sql.DB, path string, version int) error {
	name := strings.TrimSuffix(path, ".db") + fmt.Sprintf("-v%d.db", version)
	draft := name + ".tmp"
	if err := discard(draft); err != nil {
		return err
	}
	if err := vacuumInto(ctx, db, draft); err != nil {
		return errors.Join(err, discard(draft))
	}
	return publish(draft, name)
}

// upgradeCopies returns the copies that backup made, the newest schema first.
func upgradeCopies(path string) []string {
	names, err := filepath.Glob(filepath.Join(globQuote(filepath.Dir(path)), "state-v*.db"))
	if err != nil {
		return nil // only a malformed pattern fails, and this one is quoted
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) })
	return names
}

// copies names the copies that backup made, for messages.
func copies(path string) string { return strings.Join(upgradeCopies(path), ", ") }

// globQuote makes a path match itself.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// queryer is what *sql.DB and *sql.Tx have in common.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// meta returns a value of the table meta, "" when it is not there.
func meta(ctx context.Context, db queryer, key string) (string, error) {
	var value string
	err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// executor is a database or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func putMeta(ctx context.Context, db executor, key, value string) error {
	_, err := db.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES (?, ?) "+
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}
