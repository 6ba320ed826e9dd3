package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// examinations is how often a database that looks damaged is closed, opened again and
// examined as a whole before it is given up. Each of them must find damage.
const examinations = 2

// errUnread is an examination that did not get to see all of the database.
var errUnread = errors.New("the disk did not give all of the database")

// openOrMend opens the database that is there, or what takes its place. SQLite calls a
// database malformed, too, when the disk refused one page of it for once, and a copy
// that takes its place knows nothing of the holds and the approvals since then. So the
// files are first read outside of SQLite, which tells errors of the disk apart and
// brings them into memory, and then examined again.
func (d *Directory) openOrMend(ctx context.Context, path string, account Account, o Options) (*Store, error) {
	s, err := d.openOnce(ctx, path, account, o)
	if err != nil && o.ReadOnly && cannotWrite(err) {
		if s, err := d.openFixed(ctx, path, account, o); err == nil {
			return s, nil
		}
	}
	for n := 0; err != nil && !o.Guest && unusable(path, err); n++ {
		if n == examinations {
			if err := d.mend(ctx, path, o, err); err != nil {
				return nil, err
			}
			return d.openOnce(ctx, path, account, o)
		}
		// With the note, opening it examines every row, and removes the note. When
		// it cannot, the next run does.
		if err := writeNote(path, damageNote{Reason: reasonOf(err)}); err != nil {
			return nil, fmt.Errorf("note the damage: %w", err)
		}
		o.reached(pointSuspected)
		if err := readWhole(path); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnread, err)
		}
		s, err = d.openOnce(ctx, path, account, o)
	}
	return s, err
}

// readWhole reads all of a database that no connection is open on, and of its logs.
func readWhole(path string) error {
	for _, suffix := range []string{"", "-wal", "-journal"} {
		f, err := os.Open(path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue // opening it will say what that means
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// findingError says what a finding of PRAGMA integrity_check means, nil when it is none.
// A page that could not be read is a finding, too, with the error's code in its text.
func findingError(finding string) error {
	if finding == "ok" {
		return nil
	}
	if _, text, found := strings.Cut(finding, "error code="); found {
		var code int
		if _, err := fmt.Sscan(text, &code); err == nil && code&0xff == sqlite3.SQLITE_IOERR {
			return fmt.Errorf("%w: %s", errUnread, finding)
		}
	}
	return fmt.Errorf("%w: %s", errDamaged, finding)
}

// refuseReplaced fails for an opening while another database is about to take the place of
// this one: its log may lie aside already, and without that it would look good, and old.
func refuseReplaced(path string) error {
	note, _, err := readNote(path)
	if err == nil && note.Aside != "" {
		err = fmt.Errorf("%w: it is being replaced (%s)", errDamaged, note.Reason)
	}
	return err
}
