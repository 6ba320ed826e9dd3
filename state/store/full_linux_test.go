package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// smallDisk mounts a disk of that many kilobytes, which needs the right to, and
// returns its path and a function that makes it larger or smaller.
func smallDisk(t *testing.T, kilobytes int) (path string, resize func(kilobytes int)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "disk")
	must(t, os.Mkdir(path, 0o700))
	mount := func(kilobytes int, flags uintptr) error {
		return unix.Mount("tmpfs", path, "tmpfs", flags, fmt.Sprintf("size=%dk,mode=0700", kilobytes))
	}
	if err := mount(kilobytes, 0); errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skip("only root may mount")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(path, unix.MNT_DETACH)) })
	return path, func(kilobytes int) { must(t, mount(kilobytes, unix.MS_REMOUNT)) }
}

// TestFullDisk does so on disks of many sizes.
func TestFullDisk(t *testing.T) {
	refused := 0
	for size := 20; size <= 300; size += 8 {
		path, resize := smallDisk(t, size)
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
		resize(4000)
		s := open(t, d, Options{})
		putMailboxes(t, s, "INBOX")
		must(t, s.Close())
	}
	if refused < 10 {
		t.Errorf("%d times the disk was full: the test proves nothing", refused)
	}
}

// TestNoRoomForACopy: a daily copy that does not fit is told of and harms nothing.
func TestNoRoomForACopy(t *testing.T) {
	path, resize := smallDisk(t, 8000)
	d := directoryAt(t, filepath.Join(path, "state"))
	want, warned := manyRecords("INBOX", 1, 3000), 0
	s := open(t, d, Options{Warn: func(error) { warned++ }})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: want}))
	resize(2600)
	must(t, s.Close())
	if warned != 1 {
		t.Errorf("%d warnings, want one", warned)
	}
	s = open(t, d, Options{})
	got, err := s.Records(t.Context(), "INBOX")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; records (-want +got):\n%s", err, diff)
	}
	for _, name := range names(t, filepath.Dir(s.path)) {
		if strings.HasPrefix(name, "state-") {
			t.Errorf("%s is there", name)
		}
	}
}

// TestFullInAMend has a damaged database and no room for its copy's copy.
func TestFullInAMend(t *testing.T) {
	path, resize := smallDisk(t, 8000)
	d := directoryAt(t, filepath.Join(path, "state"))
	ruin(t, d)
	free, _, err := freeBytes(path)
	must(t, err)
	resize(8000 - int(free/1024) + 60)
	for range 2 {
		_, err := d.Open(t.Context(), testAccount(), Options{})
		wantFull(t, "a mend", err)
	}
	resize(8000)
	checkRestored(t, open(t, d, Options{}))
}

// TestFullInACopy fills the disk while the copy is made.
func TestFullInACopy(t *testing.T) {
	path, resize := smallDisk(t, 8000)
	s := open(t, directoryAt(t, filepath.Join(path, "state")), Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 3000)}))
	resize(1500)
	draft := strings.TrimSuffix(s.path, ".db") + "-x.db.tmp"
	err := vacuumInto(t.Context(), s.writer, draft)
	wantFull(t, "a copy", s.fail("copy", err))
	must(t, s.sweepDrafts())
	resize(8000)
	got, err := s.Records(t.Context(), "INBOX")
	if len(got) != 3000 || err != nil {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*state.Error](err)
	if !ok || e.Cause != state.CauseDisk || e.Hint != roomHint {
		t.Errorf("%s: %#v, want an error that asks for room", what, err)
	}
}

// TestFullInARun fills the disk under a run that works.
func TestFullInARun(t *testing.T) {
	path, resize := smallDisk(t, 8000)
	d := directoryAt(t, filepath.Join(path, "state"))
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 100)}))
	free, _, err := freeBytes(path)
	must(t, err)
	resize(8000 - int(free/1024) + 100)
	wantFull(t, "a settlement", s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1000, 3000)}))
	if err := s.Close(); err != nil {
		wantFull(t, "the end", err)
	}
	resize(8000)
	s = open(t, d, Options{Warn: func(err error) { t.Errorf("warned: %v", err) }})
	records, err := s.Records(t.Context(), "INBOX")
	if len(records) != 100 || err != nil {
		t.Errorf("%d records, %v", len(records), err)
	}
	if news, err := s.News(t.Context()); len(news) > 0 || err != nil {
		t.Errorf("a full disk counts as damage: %v, %v", news, err)
	}
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1000, 3000)}))
}

// TestNoRightToTheState takes the right to write, and then the database itself, away.
// Neither counts as damage.
func TestNoRightToTheState(t *testing.T) {
	disk, _ := smallDisk(t, 8000)
	d := directoryAt(t, filepath.Join(disk, "state"))
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Close())
	refused := func(what string) {
		t.Helper()
		_, err := d.Open(t.Context(), testAccount(), Options{})
		e, ok := errors.AsType[*state.Error](err)
		if !ok || e.Cause != state.CauseDisk || e.Hint == "" || !strings.Contains(err.Error(), d.path) {
			t.Errorf("%s: %#v does not say what is wrong, and where", what, err)
		}
		for _, name := range names(t, filepath.Dir(s.path)) {
			if strings.HasPrefix(name, asidePrefix) || strings.HasSuffix(name, noteSuffix) {
				t.Errorf("%s: %s is there", what, name)
			}
		}
	}
	must(t, unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	refused("a disk that is mounted read-only")
	if _, err := OpenDirectory(filepath.Join(disk, "new")); err == nil || !strings.Contains(err.Error(), disk) || hintOf(err) == "" {
		t.Errorf("a state directory on a read-only disk: %v", err)
	}
	must(t, unix.Mount("", disk, "", unix.MS_REMOUNT, ""))
	must(t, os.Rename(s.path, s.path+".away"))
	must(t, os.Mkdir(s.path, 0o700))
	refused("a directory in the database's place")
	must(t, os.Remove(s.path))
	must(t, os.Rename(s.path+".away", s.path))
	boxes, err := open(t, d, Options{}).Mailboxes(t.Context())
	if len(boxes) != 1 || err != nil {
		t.Errorf("%d mailboxes, %v", len(boxes), err)
	}
}
