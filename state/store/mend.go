package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailmoor/state"
)

// asidePrefix begins the names of the directories that damaged databases rest in.
const asidePrefix = "damaged-"

// mend replaces a database that cannot be used, because of cause, by its newest good
// copy, or by an empty one. It may be interrupted anywhere: the note makes the next
// opening go on.
func (d *Directory) mend(ctx context.Context, path string, o Options, cause error) error {
	aside, err := freeAside(filepath.Dir(path), o.Now())
	if err != nil {
		return err
	}
	note := damageNote{Reason: reasonOf(cause), Aside: aside}
	if err := writeNote(path, note); err != nil {
		return fmt.Errorf("note the damage: %w", err)
	}
	return d.replace(ctx, path, o, note)
}

// freeAside returns a name that no directory has: another damaged database in it would
// be taken for this one.
func freeAside(dir string, now time.Time) (string, error) {
	base := asidePrefix + now.UTC().Format(copyTime)
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
}

// reasonOf leaves out what the user is told anyway.
func reasonOf(err error) state.Text {
	if e, ok := errors.AsType[*state.Error](err); ok && e.Err != nil {
		err = e.Err
	}
	return state.TextOf(errors.New(strings.ReplaceAll(err.Error(), errDamaged.Error()+": ", "")))
}

// replace carries out what the note says. The database moves last of all its files, and
// not before the disk knows where those are: when it lies aside, what lies in its place
// is the new one, and no log of the old one can be taken for the new one's.
func (d *Directory) replace(ctx context.Context, path string, o Options, note damageNote) error {
	aside := filepath.Join(filepath.Dir(path), note.Aside)
	old := filepath.Join(aside, databaseName)
	if err := os.Mkdir(aside, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if _, err := os.Lstat(old); errors.Is(err, os.ErrNotExist) {
		if err := moveAside(path, old); err != nil {
			return fmt.Errorf("move the damaged database aside: %w", err)
		}
	} else if err != nil {
		return err
	}
	if err := syncBoth(path, old); err != nil {
		return err
	}
	o.reached(pointAside)
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		if err := d.rebuild(ctx, path, o, note); err != nil {
			return fmt.Errorf("restore the database: %w", err)
		}
		o.reached(pointRestored)
	} else if err != nil {
		return err
	}
	return dropNote(path)
}

// moveAside moves a database and what belongs to it. Each file may have been moved before.
func moveAside(path, old string) error {
	for _, suffix := range []string{"-shm", "-wal", "-journal", ""} {
		if suffix == "" {
			if err := syncBoth(path, old); err != nil {
				return err
			}
		}
		if err := os.Rename(path+suffix, old+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncBoth makes it durable which of the two directories the files are in.
func syncBoth(path, old string) error {
	return errors.Join(syncDir(filepath.Dir(old)), syncDir(filepath.Dir(path)))
}

// rebuild makes a database from the newest good copy, or an empty one, adds what can
// be read of the damaged one's list of held files, and gives it its name.
func (d *Directory) rebuild(ctx context.Context, path string, o Options, note damageNote) error {
	draft := path + ".new"
	from, err := d.newestGood(ctx, path, draft, o)
	if err != nil {
		return err
	}
	if from == "" {
		if err := build(ctx, draft, d.steps, o); err != nil {
			return errors.Join(err, discard(draft))
		}
	}
	held, err := d.readableHeld(ctx, path, filepath.Join(filepath.Dir(path), note.Aside, databaseName))
	if err != nil {
		if systemFailed(err) {
			// The list is what undo goes by: the next run may read it.
			return errors.Join(fmt.Errorf("read its list of held files: %w", err), discard(draft))
		}
		o.warn(fmt.Errorf("read the list of held files of the damaged database: %w", err))
	}
	err = inDraft(ctx, draft, func(db *sql.DB) error {
		return prepare(ctx, db, held, newsOfDamage(path, note, from), o)
	})
	if err != nil {
		return errors.Join(err, discard(draft))
	}
	return publish(draft, path)
}

// prepare makes a copy fit to take the place of the database that it is older than.
func prepare(ctx context.Context, db *sql.DB, held []state.Held, news News, o Options) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	if err := putHeld(ctx, tx, held); err != nil {
		return err
	}
	if err := doubtAll(ctx, tx, state.DoubtBase); err != nil {
		return err
	}
	if err := addNews(ctx, tx, news); err != nil {
		return err
	}
	if err := putMeta(ctx, tx, metaClean, "1"); err != nil {
		return err
	}
	if o.Mark != nil {
		// What has to be said of its age has been said.
		if err := putGeneration(ctx, tx, o.Marked); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// newestGood makes draft a copy of the newest copy that has no fault, of the newest
// schema, and returns its path, "" when there is none.
func (d *Directory) newestGood(ctx context.Context, path, draft string, o Options) (from string, err error) {
	copies, err := dailyCopies(path, o.Now())
	if err != nil {
		return "", err
	}
	var candidates []string
	for _, c := range copies {
		candidates = append(candidates, c.path)
	}
	for _, candidate := range append(candidates, upgradeCopies(path)...) {
		err := d.copyGood(ctx, candidate, draft, o)
		if err != nil {
			err = d.copyGood(ctx, candidate, draft, o) // as with the database: once may be the disk's
		}
		if err == nil {
			return candidate, nil
		}
		if systemFailed(err) || ctx.Err() != nil {
			// An older copy would forget more than need be. The next run goes on.
			return "", errors.Join(fmt.Errorf("read the copy %s: %w", candidate, err), discard(draft))
		}
		o.warn(fmt.Errorf("the copy %s cannot be used: %w", candidate, err))
	}
	return "", discard(draft)
}

// copyGood makes draft a copy of the database from, upgrades it, and examines it.
func (d *Directory) copyGood(ctx context.Context, from, draft string, o Options) error {
	if err := errors.Join(discard(draft), copyFile(from, draft)); err != nil {
		return err
	}
	return inDraft(ctx, draft, func(db *sql.DB) error {
		version, err := versionOf(ctx, db)
		if err != nil {
			return err
		}
		if version > len(d.steps) {
			return fmt.Errorf("it has schema %d, this program knows schemas up to %d", version, len(d.steps))
		}
		if version < len(d.steps) {
			if err := migrate(ctx, db, d.steps, version, o); err != nil {
				return err
			}
		}
		return verify(ctx, db, draft, d.steps)
	})
}

// readableHeld returns the rows of the list of held files that a damaged database
// still shows. It reads a copy: opening the database itself would change it.
func (d *Directory) readableHeld(ctx context.Context, path, old string) ([]state.Held, error) {
	draft := path + ".old"
	defer func() { _ = discard(draft) }() // what stays is removed the next time
	if err := errors.Join(discard(draft), copyFile(old, draft), copyFile(old+"-wal", draft+"-wal")); err != nil {
		return nil, err
	}
	var held []state.Held
	err := inDraft(ctx, draft, func(db *sql.DB) error {
		// From both ends, so that one bad page hides only itself.
		for _, order := range []string{"rowid", "rowid DESC"} {
			held = append(held, heldInOrder(ctx, db, order)...)
		}
		return nil
	})
	slices.SortFunc(held, func(a, b state.Held) int { return cmp.Compare(a.Path, b.Path) })
	return slices.CompactFunc(held, func(a, b state.Held) bool { return a.Path == b.Path }), err
}

// heldInOrder reads good rows until the database shows no more.
func heldInOrder(ctx context.Context, db *sql.DB, order string) (held []state.Held) {
	rows, err := db.QueryContext(ctx, selectHeld+order, math.MinInt64)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		if h, err := scanHeld(rows); err == nil {
			held = append(held, h)
		}
	}
	_ = rows.Err() // what cannot be read is lost
	return held
}

// inDraft opens a database that has no name yet, and closes it so that nothing of it
// lies in another file.
func inDraft(ctx context.Context, draft string, do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", dsn(draft, "rwc"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	if err == nil {
		err = do(db)
	}
	return errors.Join(err, db.Close())
}

// copyFile copies a file that no connection is open on. One that is missing is copied
// as nothing.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// newsOfDamage says what became of a damaged database.
func newsOfDamage(path string, note damageNote, from string) News {
	old := filepath.Join(filepath.Dir(path), note.Aside, databaseName)
	n := News{
		Text: state.Textf("the state was damaged (%s), and there is no good copy of it: "+
			"both sides are paired again, and nothing is removed in this run", note.Reason),
		Hint: state.Textf("check the disk; the damaged database is kept as %s", old),
	}
	if from != "" {
		n.Text = state.Textf("the state was damaged (%s) and has been replaced by its copy of %s: "+
			"all messages are compared afresh, and nothing is removed in this run", note.Reason, madeAt(from))
	}
	return n
}

// madeAt says when a copy was made.
func madeAt(path string) string {
	name := filepath.Base(path)
	if made, err := time.Parse("state-"+copyTime+".db", name); err == nil {
		return made.Format("2006-01-02 15:04 UTC")
	}
	if info, err := os.Stat(path); err == nil {
		return info.ModTime().UTC().Format("2006-01-02 15:04 UTC")
	}
	return "an unknown time"
}
