package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"mailmoor/state"
)

// Options says how a store is opened and what it reports to.
type Options struct {
	// Hook is called after each committed transaction with the name of the
	// point reached. Crash tests end the process there.
	Hook func(point string)
	// Warn is told what went wrong and harms nothing, such as a daily copy that
	// could not be made. It may be nil.
	Warn func(error)
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Program is the version of the running program. It is written into the
	// database with each schema, for the message that refuses a newer one.
	Program string
	// Marked is the generation in the marker of the account's root, and Mark writes
	// another one there, durably. The store raises it in each run that changes
	// something, so that it finds out when the state or the tree was put back from
	// a backup. Without Mark it neither raises nor compares, but that a guest with
	// Marked sees what the owner would.
	Marked int64
	Mark   func(generation int64) error
	// Guest is for a caller that does not hold the account's lock, such as
	// `approve`. A guest neither creates nor upgrades a database, and leaves
	// the watch for unclean stops to the owner.
	Guest bool
	// ReadOnly is for a guest that only looks, such as `status`.
	ReadOnly bool
}

// The points that Options.Hook is told of.
const (
	pointCreated   = "store: created"
	pointCopied    = "store: copied before its upgrade"
	pointUpgraded  = "store: upgraded"
	pointMailbox   = "store: mailbox put"
	pointForgotten = "store: mailbox forgotten"
	pointIntended  = "store: intents noted"
	pointSettled   = "store: settled"
	pointHolds     = "store: holds put"
	pointDecided   = "store: hold decided"
	pointNotices   = "store: notices remembered"
	pointRun       = "store: run noted"
	pointHeld      = "store: held files forgotten"
	pointClosed    = "store: closed"
	pointDaily     = "store: daily copy made"
	pointSuspected = "store: database to be examined again"
	pointAside     = "store: damaged database moved aside"
	pointRestored  = "store: restored"
	pointDoubted   = "store: doubted"
	pointRaised    = "store: generation raised"
	pointTold      = "store: news told"
	pointTrash     = "store: trash noted"
	pointStrays    = "store: strays noted"
	pointArrived   = "store: account found"
)

// Store is the state of one account. Any number of goroutines may use it.
// Readers see the last committed transaction and never wait for a writer.
type Store struct {
	path   string // of the database
	o      Options
	steps  []string // of the schema
	boot   string   // see bootID
	writer *sql.DB  // exactly one connection; nil when read-only
	reader *sql.DB
	// fixed is true for a database that nobody can write to; scratch is the directory of
	// the copy that is read in its place, if there is one.
	fixed   bool
	scratch string
	// dirty is true when this owner has written, so that the database says
	// "not cleanly closed".
	dirty atomic.Bool
	close sync.Once
	// unclean is true when the last owner did not close the database.
	unclean bool
	// directory has account.json. account is the account as the configuration has it,
	// proven as the last login has found it: see Moved.
	directory *Directory
	account   Account
	arriving  sync.Mutex
	proven    Account // guarded by arriving
	// overlay is the doubt in which a guest sees all mailboxes, and unsampled is true when
	// it sees them as if none had been listed as a whole.
	overlay   state.Doubt
	unsampled bool
	// suspected is done when this run has left a note of damage.
	suspected sync.Once

	raising sync.Mutex
	// next is the generation of this run once it changes something; raised is true
	// from then on. ahead is true while the marker may not have it yet.
	next          int64
	raised, ahead bool
}

var (
	errReadOnly = errors.New("the store was opened for reading")
	errDamaged  = errors.New("the database is damaged")
	errUnknown  = errors.New("the store does not know it")
)

// read runs one query, which sees one state of the database, and collects its
// rows.
func read[T any](ctx context.Context, s *Store, doing state.Text, scan func(*sql.Rows) (T, error),
	query string, args ...any,
) ([]T, error) {
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	list, err := collect(rows, scan)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	return list, nil
}

// collect scans all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// write runs do in one transaction, which is durable when write returns nil.
// When ctx ends before the commit, the transaction is rolled back. The context
// that do gets does not end: the driver starts a goroutine for each statement
// whose context can.
func (s *Store) write(ctx context.Context, point string, doing state.Text, do func(context.Context, *sql.Tx) error) error {
	if s.writer == nil {
		return s.fail(doing, errReadOnly)
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(doing, err)
	}
	inner := context.WithoutCancel(ctx)
	if err = s.soil(inner, tx); err == nil {
		err = do(inner, tx)
	}
	if err == nil {
		err = tx.Commit()
	} else {
		_ = tx.Rollback() // the first error is the one to tell
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return s.fail(doing, err)
	}
	s.dirty.Store(!s.o.Guest)
	s.hook(point)
	return nil
}

// soil notes in the first transaction of an owner that the database is in use.
func (s *Store) soil(ctx context.Context, tx *sql.Tx) error {
	if s.o.Guest || s.dirty.Load() {
		return nil
	}
	if err := putMeta(ctx, tx, metaBoot, s.boot); err != nil {
		return err
	}
	return putMeta(ctx, tx, metaClean, "0")
}

// Path returns the path of the database. SQLite keeps files beside it whose names
// begin with it.
func (s *Store) Path() string { return s.path }

// Close ends the use of the store. The store must not be used any more.
func (s *Store) Close() error {
	var err error
	s.close.Do(func() { err = s.shut() })
	return err
}

func (s *Store) shut() error {
	const doing = "close the state"
	var errs []error
	if s.dirty.Load() && !s.ahead {
		errs = append(errs, s.write(context.Background(), pointClosed, doing,
			func(ctx context.Context, tx *sql.Tx) error { return putMeta(ctx, tx, metaClean, "1") }))
		if err := s.copyDaily(context.Background()); err != nil {
			s.suspect(err)
			s.warn(fmt.Errorf("make the daily copy of %s: %w", s.path, err))
		}
	}
	// The writer goes last: the last connection that may write folds the
	// write-ahead log into the database.
	errs = append(errs, s.reader.Close())
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.scratch != "" {
		errs = append(errs, os.RemoveAll(s.scratch))
	}
	if err := errors.Join(errs...); err != nil {
		return s.fail(doing, err)
	}
	return nil
}

func (s *Store) warn(err error) { s.o.warn(err) }

func (s *Store) hook(point string) { s.o.reached(point) }

func (o Options) warn(err error) {
	if o.Warn != nil {
		o.Warn(err)
	}
}

// reached tells the hook that an effect is durable.
func (o Options) reached(point string) {
	if o.Hook != nil {
		o.Hook(point)
	}
}
