package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mailmoor/state"
)

const testID = "00112233445566778899aabbccddeeff"

// testAccount is the account that the tests open.
func testAccount() Account {
	return Account{ID: testID, Name: "personal", Root: "/mail/personal", Host: "imap.example.org", User: "me"}
}

// testNow is what the clock of the tests says.
func testNow() time.Time { return time.Unix(1_700_000_000, 0) }

func newDirectory(t testing.TB) *Directory {
	t.Helper()
	return directoryAt(t, filepath.Join(t.TempDir(), "state"))
}

func directoryAt(t testing.TB, path string) *Directory {
	t.Helper()
	d, err := OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// open opens the test account and closes it at the end of the test.
func open(t testing.TB, d *Directory, o Options) *Store {
	t.Helper()
	s, err := d.Open(t.Context(), testAccount(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newStore(t testing.TB) *Store {
	t.Helper()
	return open(t, newDirectory(t), Options{Now: testNow})
}

func mailbox(name string) state.Mailbox {
	return state.Mailbox{
		Name: name, Folder: "folder of " + name, Marker: "marker of " + name,
		Cursor:  state.Cursor{UIDValidity: 4294967295, UIDNext: 4294967295, ModSeq: 1<<64 - 1, Messages: 7},
		Stamp:   state.FolderStamp{New: state.DirStamp{Inode: 1<<64 - 1, Mtime: -1, Ctime: 2}, Cur: state.DirStamp{Inode: 3, Mtime: 4, Ctime: 5}},
		Statted: 6,
	}
}

func putMailboxes(t testing.TB, s *Store, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, s.PutMailbox(t.Context(), mailbox(name)))
	}
}

// paired returns a record with all fields set.
func paired(mailbox string, uid state.UID, key state.Key) state.Record {
	return state.Record{
		Mailbox: mailbox, UID: uid, Key: key, State: state.Paired, Flags: state.Seen | state.Flagged,
		Stat:    state.FileStat{Inode: 1<<63 + uint64(uid), Size: 1000, Mtime: 1_700_000_000_123_456_789},
		Content: state.Content{Digest: digestOf(uint64(uid) + 1), Header: digestOf(2), Size: 1010, WireSize: 1020},
		Remote:  state.RemoteIdentity{Size: 1021, Date: 1_600_000_000, Header: digestOf(3)},
		Retry:   state.Retry{Count: 1, NextAt: 2, Reason: "grüße"},
	}
}

// manyRecords returns n paired records with realistic keys.
func manyRecords(mailbox string, first, n int) []state.Record {
	records := make([]state.Record, n)
	for i := range records {
		uid := first + i
		records[i] = paired(mailbox, state.UID(uid), state.Key(fmt.Sprintf("1700000000.M%06dP4242R%016x.laptop", uid, uid*2654435761)))
		records[i].Retry = state.Retry{}
	}
	return records
}

func digestOf(seed uint64) (d state.Digest) {
	for i := range d {
		d[i] = byte(seed >> (8 * (i % 8)))
	}
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// raw runs SQL on the closed store's database behind its back.
func raw(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "rw"))
	must(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// shell is raw without the defences that a store has.
func shell(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
