package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"mailmoor/state"
)

const databaseName = "state.db"

// Open opens the account's database, and creates it when there is none yet.
// Guests get an error that is fs.ErrNotExist then. It brings an older schema
// up to date after copying the database, refuses a newer one, and examines the
// whole database when its last owner did not close it. One that is damaged, as several
// examinations agree, is moved aside, and its newest good copy takes its place, or an
// empty one: see News. While the disk gives errors nothing is moved.
func (d *Directory) Open(ctx context.Context, account Account, o Options) (*Store, error) {
	const doing = "open the state"
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Guest = o.Guest || o.ReadOnly
	path, err := d.file(account.ID, databaseName)
	if err != nil {
		return nil, failure(path, doing, err)
	}
	was := d.before(account)
	if o.Guest {
		err = refuseReplaced(path)
	} else {
		err = d.settle(ctx, was, path, o)
	}
	if err != nil {
		return nil, failure(path, doing, err)
	}
	s, err := d.openOrMend(ctx, path, account, o)
	if o.Guest && err != nil && unusable(path, err) && !damaged(err) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err != nil {
		return nil, failure(path, doing, err)
	}
	s.directory, s.account, s.proven = d, account, was
	return s, nil
}

// openOnce opens the database that is there.
func (d *Directory) openOnce(ctx context.Context, path string, account Account, o Options) (*Store, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, err
	}
	s := &Store{path: path, o: o, steps: d.steps, boot: d.boot}
	if err := s.begin(ctx, account); err != nil {
		return nil, err
	}
	return s, nil
}

// begin connects and finds out what can be believed.
func (s *Store) begin(ctx context.Context, account Account) error {
	if err := s.connect(); err != nil {
		return err
	}
	err := s.examine(ctx)
	if err == nil {
		err = s.takeStock(ctx, account)
	}
	if err != nil {
		// Not Close: a database that could not be examined is not marked clean.
		_ = s.reader.Close()
		if s.writer != nil {
			_ = s.writer.Close()
		}
	}
	return err
}

// before returns whose the store is, as far as that was proven. What cannot be read is
// written anew.
func (d *Directory) before(account Account) Account {
	was, err := d.account(account.ID)
	if err != nil { // Resolve has refused it, or the caller knows better
		was = Account{}
	}
	was.ID, was.Name, was.Root = account.ID, account.Name, account.Root
	return was
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
	if note, found, err := readNote(path); err != nil {
		return err
	} else if found && note.Aside != "" {
		if err := d.replace(ctx, path, o, note); err != nil {
			return err
		}
	}
	// SQLite gives the log and the shared memory the mode of the database.
	if err := os.Chmod(path, 0o600); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := create(ctx, path, d.steps, o); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	o.reached(pointCreated)
	return nil
}

// examine decides whether this program can work with the database, and
// upgrades its schema if need be.
func (s *Store) examine(ctx context.Context) error {
	db := s.reader
	if s.writer != nil {
		// First, because only a writer can set the journal mode.
		db = s.writer
	}
	version, err := versionOf(ctx, db)
	if err != nil {
		return err
	}
	switch {
	case version > len(s.steps):
		return s.refuseNewer(ctx, db, version, len(s.steps))
	case s.o.Guest && version < len(s.steps):
		return &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: state.Textf("open %s", s.path),
			Hint: "run `mailmoor sync` once: it brings the database up to date",
			Err:  fmt.Errorf("it has schema %d, this program works with %d", version, len(s.steps)),
		}
	case s.o.Guest:
		return nil
	}
	if err := s.checkAfterCrash(ctx); err != nil {
		return err
	}
	if version < len(s.steps) {
		if err := s.upgrade(ctx, version); err != nil {
			return err
		}
	}
	return s.checkSuspicion(ctx)
}

// versionOf returns the version of a database's schema. Where its header and its rows
// tell different ones, either is damaged.
func versionOf(ctx context.Context, db queryer) (version int, err error) {
	var id int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if id != applicationID || version < 1 {
		return 0, fmt.Errorf("the file is not a complete Mailmoor database: %w", errDamaged)
	}
	noted, err := meta(ctx, db, metaSchema)
	if err != nil {
		return 0, err
	}
	if noted != strconv.Itoa(version) && (noted != "" || version != 1) {
		return 0, fmt.Errorf("%w: its header names schema %d, its rows schema %q", errDamaged, version, noted)
	}
	return version, nil
}

// errUpgrade is a step of the schema that fails on a database that is as it should be:
// a fault of this program, for which no state is given up.
var errUpgrade = errors.New("upgrade the database")

// upgrade brings an older schema up to date.
func (s *Store) upgrade(ctx context.Context, version int) error {
	if err := verifySchema(ctx, s.writer, s.steps[:version]); err != nil {
		return err
	}
	if err := backup(ctx, s.writer, s.path, version); err != nil {
		return fmt.Errorf("copy the database before its upgrade: %w", err)
	}
	s.hook(pointCopied)
	if err := migrate(ctx, s.writer, s.steps, version, s.o); err != nil {
		if codeOf(err) == sqlite3.SQLITE_CONSTRAINT {
			return fmt.Errorf("%w: %w", errDamaged, err) // a row is not what its table admits
		}
		return fmt.Errorf("%w: %w", errUpgrade, err)
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
	hint := state.Textf("install Mailmoor %s again, or move %s* away: %s", program, s.path, PairsAgain)
	if names := copies(s.path); names != "" {
		hint += state.Textf("; the state before the upgrade is kept in %s", names)
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: state.Textf("open %s", s.path), Hint: hint,
		Err: fmt.Errorf("it was written by Mailmoor %s%s with schema %d, this program knows schemas up to %d",
			program, when, version, known),
	}
}

// checkAfterCrash examines every page when the last owner did not close the
// database and the machine has been started since: only the machine's own end can
// take away what a transaction has written. Otherwise a program that is killed again
// and again would do nothing but examine. PRAGMA quick_check tells its first finding,
// or "ok".
func (s *Store) checkAfterCrash(ctx context.Context) error {
	clean, err := meta(ctx, s.writer, metaClean)
	if err != nil || clean != "0" {
		return err
	}
	// It is unclean until this owner closes it, even if this one only reads.
	s.unclean = true
	boot, err := meta(ctx, s.writer, metaBoot)
	if err != nil {
		return err
	}
	if s.boot != "" && boot == s.boot {
		s.dirty.Store(true)
		return nil
	}
	var finding string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding); err != nil {
		return err
	}
	if err := findingError(finding); err != nil {
		return err
	}
	s.dirty.Store(true)
	return putMeta(ctx, s.writer, metaBoot, s.boot)
}

// checkSuspicion examines all of the database when damage was met, in an earlier run or
// a moment ago. When every page and every row is as it was written, it was the memory's,
// the cable's, or an error of the disk that has passed.
func (s *Store) checkSuspicion(ctx context.Context) error {
	note, found, err := readNote(s.path)
	if err != nil || !found {
		return err
	}
	if err := verify(ctx, s.reader, s.path, s.steps); err != nil {
		return err
	}
	s.warn(fmt.Errorf("the state looked damaged (%s), but every row of it is good now: it stays in use", note.Reason))
	return dropNote(s.path)
}
