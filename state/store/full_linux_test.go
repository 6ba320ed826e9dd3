package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// TestFullAtCreation lets the database run out of room while it is made. No more
// of it may stay than the next run can do with.
func TestFullAtCreation(t *testing.T) {
	d := newDirectory(t)
	d.steps = []string{"PRAGMA max_page_count = 6;" + schemaV1}
	_, err := d.Open(t.Context(), testAccount(), Options{})
	wantFull(t, "too few pages", err)
	for _, name := range names(t, filepath.Join(d.path, testID)) {
		if strings.HasPrefix(name, databaseName) {
			t.Errorf("%s stays", name)
		}
	}
	d.steps = schema()
	putMailboxes(t, open(t, d, Options{}), "INBOX")
}

// TestFullDisk does so on disks of many sizes, which needs the right to mount.
func TestFullDisk(t *testing.T) {
	refused := 0
	for size := 20; size <= 300; size += 8 {
		path := filepath.Join(t.TempDir(), "disk")
		must(t, os.Mkdir(path, 0o700))
		resize := func(kilobytes int, flags uintptr) error {
			return unix.Mount("tmpfs", path, "tmpfs", flags, fmt.Sprintf("size=%dk,mode=0700", kilobytes))
		}
		if err := resize(size, 0); errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			t.Skip("only root may mount")
		} else if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { must(t, unix.Unmount(path, unix.MNT_DETACH)) })
		d := directoryAt(t, filepath.Join(path, "state"))
		for range 2 {
			s, err := d.Open(t.Context(), testAccount(), Options{})
			if err == nil {
				must(t, s.Close())
				continue
			}
			refused++
			wantFull(t, fmt.Sprintf("a disk of %d kB", size), err)
		}
		must(t, resize(4000, unix.MS_REMOUNT))
		s := open(t, d, Options{})
		putMailboxes(t, s, "INBOX")
		must(t, s.Close())
	}
	if refused < 10 {
		t.Errorf("%d times the disk was full: the test proves nothing", refused)
	}
}

func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*state.Error](err)
	if !ok || e.Cause != state.CauseDisk || e.Hint != roomHint {
		t.Errorf("%s: %#v, want an error that asks for room", what, err)
	}
}
