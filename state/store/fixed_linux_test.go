package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// TestFixedState: on a disk that is mounted read-only, as after an error of it, status said
// "unable to open database file", and for another user "attempt to write a readonly
// database", although it only reads.
func TestFixedState(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", killed), func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			path, _ := smallDisk(t, 8000)
			d := directoryAt(t, filepath.Join(path, "state"))
			s := open(t, d, Options{})
			putMailboxes(t, s, "INBOX")
			must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 30)}))
			if killed { // what it wrote lies in the log
				_ = s.reader.Close()
				at := filepath.Dir(s.path)
				must(t, exec.Command("cp", "-a", at, at+".killed").Run())
				must(t, s.Close())
				must(t, os.RemoveAll(at))
				must(t, os.Rename(at+".killed", at))
			} else {
				must(t, s.Close())
			}
			must(t, unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
			for range 2 {
				s, err := d.Open(t.Context(), testAccount(), Options{ReadOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				records, err := s.Records(t.Context(), "INBOX")
				if err != nil || len(records) != 30 {
					t.Errorf("%d records, %v, want 30", len(records), err)
				}
				if err := s.PutMailbox(t.Context(), mailbox("Sent")); !errors.Is(err, errReadOnly) {
					t.Errorf("writing: %v", err)
				}
				must(t, s.Close())
			}
			if left := names(t, os.Getenv("TMPDIR")); len(left) > 0 {
				t.Errorf("%q is left behind", left)
			}
			_, err := d.Open(t.Context(), testAccount(), Options{})
			var e *state.Error
			if !errors.As(err, &e) || e.Cause != state.CauseDisk || e.Hint == "" {
				t.Errorf("opening it to write: %v", err)
			}
		})
	}
}
