package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mailmoor/state"
)

const (
	databaseName = "state.db"
	// readersMax bounds the pool of reading connections.
	readersMax = 4
	// busyMillis is how long a statement waits for another process.
	busyMillis = 5000
	// logBytesMax is what the write-ahead log is cut back to after a big run.
	logBytesMax = 16 << 20
)

// Open opens the account's database, and creates it when there is none yet.
// Guests get an error that is fs.ErrNotExist then. It brings an older schema
// up to date after copying the database, refuses a newer one, and examines the
// whole database when its last owner did not close it.
func (d *Directory) Open(ctx context.Context, account Account, o Options) (*Store, error) {
	doing := fmt.Sprintf("open the state of account %q", account.Name)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Guest = o.Guest || o.ReadOnly
	path, err := d.file(account.ID, databaseName)
	if err != nil {
		return nil, failure(path, doing, err)
	}
	if !o.Guest {
		if err := d.settle(ctx, account, path, o); err != nil {
			return nil, failure(path, doing, err)
		}
	}
	if _, err := os.Lstat(path); err != nil {
		return nil, failure(path, doing, err)
	}
	s := &Store{path: path, o: o, steps: d.steps}
	if err := s.connect(); err != nil {
		return nil, failure(path, doing, err)
	}
	if err := s.examine(ctx); err != nil {
		// Not Close: a database that could not be examined is not marked clean.
		_ = s.reader.Close()
		if s.writer != nil {
			_ = s.writer.Close()
		}
		return nil, failure(path, doing, err)
	}
	return s, nil
}

// settle makes sure that the account's directory, its account.json and its
// database exist, in this order: Resolve must know whose a database is.
func (d *Directory) settle(ctx context.Context, account Account, path string, o Options) error {
	if err := d.makeAccount(account.ID); err != nil {
		return err
	}
	if err := d.putAccount(account); err != nil {
		return err
	}
	// SQLite gives the log and the shared memory the mode of the database.
	if err := os.Chmod(path, 0o600); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := create(ctx, path, d.steps, o); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	if o.Hook != nil {
		o.Hook(pointCreated)
	}
	return nil
}

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

// dsn names the file to the driver. The path is escaped: a "?" in it would
// otherwise cut it short and open another file. mode is SQLite's; more are
// further pairs of parameters.
func dsn(path, mode string, more ...string) string {
	q := url.Values{"mode": {mode}, "_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}}
	q["_pragma"] = []string{
		fmt.Sprintf("busy_timeout(%d)", busyMillis),
		"foreign_keys(1)",
		fmt.Sprintf("journal_size_limit(%d)", logBytesMax),
		"synchronous(FULL)",
		"trusted_schema(0)",
	}
	if mode == "rw" {
		// The file remembers it, so that readers need not ask for it.
		q.Add("_pragma", "journal_mode(WAL)")
	}
	if mode != "ro" {
		// A transaction that reads first and writes later could otherwise
		// find that another process has written in between.
		q.Set("_txlock", "immediate")
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	// SQLite does not read "+" as a space.
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

// connect makes the connection pools. No pool may create a file: a missing
// database must not turn into an empty one.
func (s *Store) connect() error {
	var err error
	if s.reader, err = sql.Open("sqlite", dsn(s.path, "ro")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readersMax)
	s.reader.SetMaxIdleConns(readersMax)
	if s.o.ReadOnly {
		return nil
	}
	if s.writer, err = sql.Open("sqlite", dsn(s.path, "rw")); err != nil {
		return errors.Join(err, s.reader.Close())
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	return nil
}

// examine decides whether this program can work with the database, and
// upgrades its schema if need be.
func (s *Store) examine(ctx context.Context) error {
	steps := s.steps
	db := s.reader
	if s.writer != nil {
		// First, because only a writer can set the journal mode.
		db = s.writer
	}
	var id, version int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case id != applicationID || version < 1:
		return fmt.Errorf("the file is not a complete Mailmoor database: %w", errDamaged)
	case version > len(steps):
		return s.refuseNewer(ctx, db, version, len(steps))
	case s.o.Guest && version < len(steps):
		return &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: "open " + s.path,
			Hint: "run `mailmoor sync` once: it brings the database up to date",
			Err:  fmt.Errorf("it has schema %d, this program works with %d", version, len(steps)),
		}
	case s.o.Guest:
		return nil
	}
	if err := s.checkAfterCrash(ctx); err != nil {
		return err
	}
	if version == len(steps) {
		return nil
	}
	if err := backup(ctx, s.writer, s.path, version); err != nil {
		return fmt.Errorf("copy the database before its upgrade: %w", err)
	}
	s.hook(pointCopied)
	if err := migrate(ctx, s.writer, steps, version, s.o); err != nil {
		return fmt.Errorf("upgrade the database: %w", err)
	}
	s.hook(pointUpgraded)
	return nil
}

// refuseNewer tells which program wrote the database.
func (s *Store) refuseNewer(ctx context.Context, db queryer, version, known int) error {
	program, err := meta(ctx, db, metaProgram)
	if err != nil || program == "" {
		program = "of a version it does not name"
	}
	when := ""
	if text, err := meta(ctx, db, metaWritten); err == nil {
		if sec, err := strconv.ParseInt(text, 10, 64); err == nil {
			when = " on " + time.Unix(sec, 0).UTC().Format(time.DateOnly)
		}
	}
	hint := fmt.Sprintf("install Mailmoor %s again, or move %s* away: "+
		PairsAgain, program, s.path)
	if names := copies(s.path); names != "" {
		hint += "; the state before the upgrade is kept in " + names
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: "open " + s.path, Hint: hint,
		Err: fmt.Errorf("it was written by Mailmoor %s%s with schema %d, this program knows schemas up to %d",
			program, when, version, known),
	}
}

// checkAfterCrash examines every page when the last owner did not close the
// database. PRAGMA quick_check tells its first finding, or "ok".
func (s *Store) checkAfterCrash(ctx context.Context) error {
	clean, err := meta(ctx, s.writer, metaClean)
	if err != nil || clean != "0" {
		return err
	}
	// It is unclean until this owner closes it, even if this one only reads.
	s.dirty.Store(true)
	var finding string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding); err != nil {
		return err
	}
	if finding != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, finding)
	}
	return nil
}
