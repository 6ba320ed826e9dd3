package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// image is everything that the engine would believe.
type image struct {
	Mailboxes []state.Mailbox
	Records   [][]state.Record
	Intents   []state.Intent
	Holds     []state.Hold
}

func takeImage(t *testing.T, s *Store, names []string) (image, error) {
	t.Helper()
	var i image
	var errs [4]error
	i.Mailboxes, errs[0] = s.Mailboxes(t.Context())
	for _, name := range names {
		records, err := s.Records(t.Context(), name)
		i.Records = append(i.Records, records)
		errs[1] = errors.Join(errs[1], err)
	}
	i.Intents, errs[2] = s.Intents(t.Context())
	i.Holds, errs[3] = s.Holds(t.Context())
	return i, errors.Join(errs[:]...)
}

// TestFlippedBits flips one bit of a cleanly closed database, where nothing is
// examined on opening. Each time, either everything reads as it was written or
// there is an error that says what to do.
func TestFlippedBits(t *testing.T) {
	flips := 200
	if testing.Short() {
		flips = 50
	}
	random := chance(t)
	d := newDirectory(t)
	s := open(t, d, Options{})
	names := []string{"INBOX", "Sent", "Trash"}
	putMailboxes(t, s, names...)
	for _, name := range names {
		must(t, s.Settle(t.Context(), state.Settlement{Put: append(manyRecords(name, 10, 30),
			state.Record{Mailbox: name, UID: 90, State: state.DownloadStuck},
			state.Record{Mailbox: name, Key: "stuck", State: state.UploadStuck})}))
	}
	must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 91, "x"), download("Sent", 91, "y")}))
	_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 11, 12, 20), hold(0, "Sent", 10)})
	must(t, err)
	want, err := takeImage(t, s, names)
	must(t, err)
	must(t, s.Close())
	whole, err := os.ReadFile(s.path)
	must(t, err)

	var refused int
	for range flips {
		at, bit := random.IntN(len(whole)), byte(1)<<random.IntN(8)
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= bit
		must(t, os.WriteFile(s.path, damaged, 0o600))
		s, err := d.Open(t.Context(), testAccount(), Options{})
		var got image
		if err == nil {
			got, err = takeImage(t, s, names)
			_ = s.Close()
		}
		if err != nil {
			refused++
			if e, ok := errors.AsType[*state.Error](err); !ok || !strings.Contains(e.Error(), "state.db") {
				t.Errorf("byte %d, bit %08b: error %v does not name the file", at, bit, err)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("byte %d of %d, bit %08b: read without an error (-want +got):\n%s", at, len(whole), bit, diff)
		}
	}
	if refused == 0 {
		t.Errorf("none of %d flips was noticed", flips)
	}
	t.Logf("%d of %d flips were noticed", refused, flips)
}

// TestTruncated cuts the database short at every page, and everywhere in the
// first one.
func TestTruncated(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 100)}))
	must(t, s.Close())
	whole, err := os.ReadFile(s.path)
	must(t, err)
	sizes := []int{0, 1, 99, 100, 512, 4095}
	for size := 4096; size < len(whole); size += 4096 {
		sizes = append(sizes, size)
	}
	for _, size := range sizes {
		must(t, os.WriteFile(s.path, whole[:size], 0o600))
		s, err := d.Open(t.Context(), testAccount(), Options{})
		if err == nil {
			_, err = takeImage(t, s, []string{"INBOX"})
			_ = s.Close()
		}
		e, ok := errors.AsType[*state.Error](err)
		if !ok || e.Cause != state.CauseDisk || !strings.Contains(e.Hint, "move "+filepath.Join(d.path, testID)) {
			t.Errorf("cut to %d of %d bytes: %v", size, len(whole), err)
		}
	}
}

func TestExaminedAfterUncleanStop(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 200)}))
	must(t, s.Close())
	raw(t, s.path, "UPDATE meta SET value = '0' WHERE key = 'clean'")
	whole, err := os.ReadFile(s.path)
	must(t, err)
	// Rubbish in the middle of the tree of records.
	at := len(whole) / 2 / 4096 * 4096
	copy(whole[at:], strings.Repeat("\xff", 64))
	must(t, os.WriteFile(s.path, whole, 0o600))
	_, err = d.Open(t.Context(), testAccount(), Options{})
	if !errors.Is(err, errDamaged) {
		t.Errorf("a damaged database after an unclean stop: %v", err)
	}
}

// TestBadRows changes values behind the store's back.
func TestBadRows(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"record: other UID", "UPDATE record SET uid = 77 WHERE key = 'a'", `UID 77, key "a"`},
		{"record: other mailbox", "UPDATE record SET mailbox = 2", `UID 1, key "a"`},
		{"record: impossible state", "UPDATE record SET state = 9 WHERE uid = 1", "state 9 does not exist"},
		{"record: no digest", "UPDATE record SET digest = NULL WHERE uid = 1", "without a digest"},
		{"record: short digest", "UPDATE record SET header = x'0102' WHERE uid = 1", "2 bytes"},
		{"record: flag", "UPDATE record SET flags = flags | 32 WHERE uid = 1", "checksum"},
		{"mailbox: cursor", "UPDATE mailbox SET uidnext = 5 WHERE name = 'INBOX'", `mailbox "INBOX"`},
		{"mailbox: name", "UPDATE mailbox SET name = 'INBOY' WHERE name = 'INBOX'", `mailbox "INBOY"`},
		{"mailbox: id", "UPDATE mailbox SET id = 9 WHERE name = 'INBOX'", `mailbox "INBOX"`},
		{"intent: key", "UPDATE intent SET key = 'a/b'", "intent 1"},
		{"intent: no mailbox", "UPDATE intent SET mailbox = 9", "read the intents"},
		{"hold: decision", "UPDATE hold SET decision = 1", "hold 1"},
		{"hold: range", "UPDATE hold_range SET last = last + 1", "hold 1"},
		{"held: key", "UPDATE held SET key = 'z'", "state.db"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDirectory(t)
			s := open(t, d, Options{})
			putMailboxes(t, s, "INBOX", "Sent")
			must(t, s.Settle(t.Context(), state.Settlement{
				Put:  []state.Record{paired("INBOX", 1, "a")},
				Held: []state.Held{{Path: "p", Key: "k"}},
			}))
			must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 2, "b")}))
			_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
			must(t, err)
			must(t, s.Close())
			raw(t, s.path, "PRAGMA foreign_keys = 0", "PRAGMA ignore_check_constraints = 1", test.statement)

			s = open(t, d, Options{})
			_, err = takeImage(t, s, []string{"INBOX", "Sent"})
			_, heldErr := s.HeldFiles(t.Context(), 0)
			if err = errors.Join(err, heldErr); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestLostIndexEntries hides a record from one of the indexes.
func TestLostIndexEntries(t *testing.T) {
	for _, index := range []string{"record_by_uid", "record_by_key", "record_unpaired"} {
		d := newDirectory(t)
		s := open(t, d, Options{})
		putMailboxes(t, s, "INBOX")
		must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{
			paired("INBOX", 1, "a"), paired("INBOX", 2, "b"), {Mailbox: "INBOX", UID: 3, State: state.DownloadStuck},
		}}))
		must(t, s.Close())
		// Swap the roots of the indexes for one of an empty table's index.
		shell(t, s.path, "CREATE TABLE tmp (mailbox, a, b); CREATE INDEX tmp_index ON tmp (mailbox, a);",
			"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = "+
				"(SELECT rootpage FROM sqlite_schema WHERE name = 'tmp_index') WHERE name = '"+index+"';")
		s, err := d.Open(t.Context(), testAccount(), Options{})
		if err == nil {
			_, err = s.Records(t.Context(), "INBOX")
			_ = s.Close()
		}
		if err == nil {
			t.Errorf("%s lost its entries: no error", index)
		}
	}
}
