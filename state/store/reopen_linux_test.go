package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mailmoor/state"
)

// memoryFile is a file of which the system gives EIO: no page lies at address 0.
const memoryFile = "/proc/self/mem"

// block puts a file that cannot be read into the place of another one.
func block(t *testing.T, path string) (restore func()) {
	t.Helper()
	must(t, os.Rename(path, path+".real"))
	must(t, os.Symlink(memoryFile, path))
	return func() { must(t, os.Rename(path+".real", path)) }
}

// wantDiskError demands an error of the account that blames the disk, not the database.
func wantDiskError(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*state.Error](err)
	if !ok || e.Cause != state.CauseDisk || e.Scope != state.ScopeAccount || !errors.Is(err, syscall.EIO) ||
		!strings.Contains(string(e.Hint), "check the disk") || !strings.Contains(string(e.Hint), "again") {
		t.Errorf("error %v, %#v", err, e)
	}
}

// TestDiskErrorWhileExamining: what looked damaged cannot be read at all. The run ends,
// nothing is moved, and the next run finds that nothing was wrong.
func TestDiskErrorWhileExamining(t *testing.T) {
	for _, suffix := range []string{"", "-wal"} {
		for _, at := range []int{1, examinations} {
			d := newDirectory(t)
			path, want := closedAccount(t, d)
			repair := spoil(t, path)
			seen, restore := 0, func() {}
			_, err := d.Open(t.Context(), testAccount(), Options{Now: testNow, Hook: func(point string) {
				if point != pointSuspected {
					return
				}
				if seen++; seen == at {
					if suffix != "" {
						must(t, os.WriteFile(path+suffix, nil, 0o600))
					}
					restore = block(t, path+suffix)
				}
			}})
			wantDiskError(t, err)
			restore()
			repair()
			if aside, _ := filepath.Glob(filepath.Join(filepath.Dir(path), asidePrefix+"*")); len(aside) > 0 {
				t.Errorf("moved aside: %v", aside)
			}
			if note, found, err := readNote(path); !found || note.Aside != "" || err != nil {
				t.Errorf("note %+v, %v, %v", note, found, err)
			}
			wantKept(t, d, path, want)
		}
	}
}

// TestDiskErrorWhileReadingACopy: an older copy is not taken, nor an empty database,
// because the newest copy cannot be read for once.
func TestDiskErrorWhileReadingACopy(t *testing.T) {
	d := newDirectory(t)
	ruin(t, d)
	path := filepath.Join(d.path, testID, databaseName)
	copies, err := dailyCopies(path, testNow().Add(999e12))
	must(t, err)
	restore := block(t, copies[1].path) // the newest one has a fault
	_, err = d.Open(t.Context(), testAccount(), Options{})
	wantDiskError(t, err)
	if err == nil || !strings.Contains(err.Error(), copies[1].path) {
		t.Errorf("error %v does not name the copy", err)
	}
	restore()
	checkRestored(t, open(t, d, Options{}))
}
