package maildir_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"mailmoor/maildir"
)

// TestCloseUnlocksDespiteCopies: a program that is started while a tree is closed
// has a copy of its descriptor for a moment, which must not keep the lock.
func TestCloseUnlocksDespiteCopies(t *testing.T) {
	f := newFixture(t)
	descriptors, err := os.ReadDir("/proc/self/fd")
	f.ok(err)
	copies := 0
	for _, d := range descriptors {
		if path, _ := os.Readlink(filepath.Join("/proc/self/fd", d.Name())); path != f.root {
			continue
		}
		number, err := strconv.Atoi(d.Name())
		f.ok(err)
		duplicate, err := unix.Dup(number)
		f.ok(err)
		t.Cleanup(func() { _ = unix.Close(duplicate) })
		copies++
	}
	if copies == 0 {
		t.Fatal("the tree holds no descriptor of its root")
	}
	f.ok(f.Close())
	tree, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold})
	f.ok(err)
	f.ok(tree.Close())
}
