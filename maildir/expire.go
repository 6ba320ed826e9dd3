package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mailmoor/state"
)

// Expire removes for good what was put into the hold area before the day of
// the given time, and returns how many files that were. Only whole directories
// that bear a date are looked at: nothing else in there is ours.
func (t *Tree) Expire(ctx context.Context, before time.Time) (int, error) {
	if err := t.mayChange(); err != nil {
		return 0, err
	}
	expired := 0
	limit := before.Format(time.DateOnly)
	for _, area := range []string{t.o.HoldDir, t.besideRoot()} {
		days, err := os.ReadDir(area)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return expired, wrap(state.ScopeAccount, err, "list hold area %q", area)
		}
		for _, day := range days {
			if ctx.Err() != nil {
				return expired, ctx.Err()
			}
			if _, err := time.Parse(time.DateOnly, day.Name()); err != nil || !day.IsDir() || day.Name() >= limit {
				continue
			}
			n, err := removeDay(filepath.Join(area, day.Name()))
			expired += n
			if err != nil {
				return expired, wrap(state.ScopeAccount, err, "empty hold area %q", area)
			}
			t.step("maildir: held files expired")
		}
	}
	return expired, nil
}

// removeDay removes the directory of one day and returns how many files it had.
func removeDay(path string) (int, error) {
	n := 0
	err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count held files: %w", err)
	}
	return n, os.RemoveAll(path)
}
