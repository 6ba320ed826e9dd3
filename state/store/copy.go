package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// copyTime is the middle of a daily copy's name, state-20261121T230436Z.db.
	copyTime = "20060102T150405Z"
	// copyKept begins the middle of the name of a copy that stays.
	copyKept = "kept-"
	// copyAge is how old the newest copy is when another one is made.
	copyAge = 24 * time.Hour
	// copiesMax is how many daily copies are kept.
	copiesMax = 3
)

// dailyCopy is a copy of the database that a run left behind.
type dailyCopy struct {
	path string
	made time.Time
}

// dailyCopies returns the daily copies of the database at path, the newest first.
// Those that are from the future, as after the clock was set back, come last.
func dailyCopies(path string, now time.Time) ([]dailyCopy, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(databaseName, ".db") + "-"
	var copies []dailyCopy
	for _, e := range entries {
		middle := strings.TrimSuffix(strings.TrimPrefix(e.Name(), prefix), ".db")
		made, err := time.Parse(copyTime, middle)
		if err == nil && e.Name() == prefix+middle+".db" {
			copies = append(copies, dailyCopy{filepath.Join(filepath.Dir(path), e.Name()), made})
		}
	}
	slices.SortFunc(copies, func(a, b dailyCopy) int {
		if ahead := a.made.After(now); ahead != b.made.After(now) {
			if ahead {
				return 1
			}
			return -1
		}
		return b.made.Compare(a.made)
	})
	return copies, nil
}

// copyDaily makes a copy of the database when the newest one is a day old, and
// removes the oldest. A run does not depend on it: what goes wrong is only told.
func (s *Store) copyDaily(ctx context.Context) error {
	now := s.o.Now().UTC()
	copies, err := dailyCopies(s.path, now)
	if err != nil {
		return err
	}
	if len(copies) > 0 && !copies[0].made.After(now) && now.Sub(copies[0].made) < copyAge {
		return nil
	}
	if _, err = s.copyTo(ctx, now.Format(copyTime)); err != nil {
		return err
	}
	return removeOldest(s.path, now)
}

// Copy makes a copy of the database that the user may want back, and returns its path.
// It is none of the daily ones: no later copy takes its place.
func (s *Store) Copy(ctx context.Context) (string, error) {
	const doing = "copy the state"
	if s.writer == nil || s.o.Guest {
		return "", s.fail(doing, errReadOnly)
	}
	name, err := s.copyTo(ctx, copyKept+s.o.Now().UTC().Format(copyTime))
	if err != nil {
		return "", s.fail(doing, err)
	}
	return name, nil
}

// copyTo makes a copy whose name has middle in it.
func (s *Store) copyTo(ctx context.Context, middle string) (string, error) {
	if err := s.roomForCopy(ctx); err != nil {
		return "", err
	}
	name := strings.TrimSuffix(s.path, ".db") + "-" + middle + ".db"
	draft := name + ".tmp"
	if err := s.sweepDrafts(); err != nil {
		return "", err
	}
	err := vacuumInto(ctx, s.writer, draft)
	if err == nil {
		// What is read once a year only would else be damaged in all copies
		// before anybody finds out.
		err = verifyFile(ctx, draft, s.steps)
	}
	if err == nil {
		err = publish(draft, name)
	}
	if err != nil {
		return "", errors.Join(err, discard(draft))
	}
	s.hook(pointDaily)
	return name, nil
}

// roomForCopy refuses to fill the disk that the mail may lie on, too.
func (s *Store) roomForCopy(ctx context.Context) error {
	var size uint64
	if err := s.writer.QueryRowContext(ctx,
		"SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&size); err != nil {
		return err
	}
	free, known, err := freeBytes(filepath.Dir(s.path))
	if err != nil || !known {
		return err
	}
	if need := 2 * size; free < need {
		return fmt.Errorf("%d bytes are free, %d are wanted", free, need)
	}
	return nil
}

// sweepDrafts removes what interrupted copies left behind.
func (s *Store) sweepDrafts() error {
	drafts, err := filepath.Glob(globQuote(strings.TrimSuffix(s.path, ".db")) + "-*.db.tmp")
	if err != nil {
		return err
	}
	for _, draft := range drafts {
		if err := discard(draft); err != nil {
			return err
		}
	}
	return nil
}

// removeOldest keeps copiesMax copies.
func removeOldest(path string, now time.Time) error {
	copies, err := dailyCopies(path, now)
	if err != nil || len(copies) <= copiesMax {
		return err
	}
	for _, c := range copies[copiesMax:] {
		if err := os.Remove(c.path); err != nil {
			return err
		}
	}
	return nil
}

// vacuumInto writes the database into a new file, page by page and without gaps.
func vacuumInto(ctx context.Context, db *sql.DB, draft string) error {
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", draft); err != nil {
		return fmt.Errorf("copy to %s: %w", draft, err)
	}
	return nil
}
