package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// TestPragmas holds every connection of both pools at once and asks each.
func TestPragmas(t *testing.T) {
	s := newStore(t)
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0",
		"busy_timeout": "5000", "application_id": "1297043282", "user_version": "5",
	}
	for name, pool := range map[string]struct {
		db *sql.DB
		n  int
	}{"writer": {s.writer, 1}, "reader": {s.reader, readersMax}} {
		if got := pool.db.Stats().MaxOpenConnections; got != pool.n {
			t.Errorf("%s: at most %d connections, want %d", name, got, pool.n)
		}
		for i := range pool.n {
			conn, err := pool.db.Conn(t.Context())
			must(t, err)
			defer conn.Close()
			for pragma, value := range want {
				var got string
				must(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
				if got != value {
					t.Errorf("%s %d: %s is %s, want %s", name, i, pragma, got, value)
				}
			}
			_, err = conn.ExecContext(t.Context(), "DELETE FROM meta WHERE key = 'none'")
			if (err == nil) != (name == "writer") {
				t.Errorf("%s %d: write: %v", name, i, err)
			}
		}
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a?mode=memory", "a b", "a#b", "a%20b%3f", "a&b=c;d", "ü\xff", "[a]*", "file:x"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			d := directoryAt(t, path)
			s := open(t, d, Options{})
			putMailboxes(t, s, "INBOX")
			must(t, s.Close())
			if _, err := os.Stat(filepath.Join(path, testID, "state.db")); err != nil {
				t.Error(err)
			}
			boxes, err := open(t, d, Options{ReadOnly: true}).Mailboxes(t.Context())
			if err != nil || len(boxes) != 1 {
				t.Errorf("%d mailboxes, %v", len(boxes), err)
			}
			others, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(others) != 1 {
				t.Errorf("beside the state directory: %v, %v", others, err)
			}
		})
	}
}

// TestPermissions runs under the loosest umask.
func TestPermissions(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	d := newDirectory(t)
	lock, err := d.Lock(t.Context(), testID, LockFail)
	must(t, err)
	defer lock.Unlock()
	s := open(t, d, Options{Now: testNow})
	putMailboxes(t, s, "INBOX")
	must(t, backup(t.Context(), s.writer, s.path, 1))
	want := map[string]fs.FileMode{
		".": 0o700 | fs.ModeDir, "account.json": 0o600, "lock": 0o600, "state-v1.db": 0o600,
		"state.db": 0o600, "state.db-shm": 0o600, "state.db-wal": 0o600,
	}
	check := func() {
		t.Helper()
		got := map[string]fs.FileMode{}
		must(t, fs.WalkDir(os.DirFS(filepath.Dir(s.path)), ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			got[path] = info.Mode()
			return err
		}))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("modes (-want +got):\n%s", diff)
		}
	}
	check()
	info, err := os.Stat(d.path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", info.Mode(), err)
	}

	// Modes that somebody loosened are put right.
	must(t, s.Close())
	must(t, os.Chmod(s.path, 0o644))
	must(t, os.Chmod(filepath.Dir(s.path), 0o755))
	s = open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	want["state-20231114T221320Z.db"] = 0o600 // made at the end of the first run
	check()
}

func TestGuests(t *testing.T) {
	d := newDirectory(t)
	for _, o := range []Options{{Guest: true}, {ReadOnly: true}} {
		if _, err := d.Open(t.Context(), testAccount(), o); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("guest %+v without a database: %v", o, err)
		}
	}
	entries, err := os.ReadDir(d.path)
	if err != nil || len(entries) > 0 {
		t.Errorf("guests created %v, %v", entries, err)
	}
	owner := open(t, d, Options{})
	putMailboxes(t, owner, "INBOX")
	guest := open(t, d, Options{ReadOnly: true})
	if err := guest.PutMailbox(t.Context(), mailbox("x")); !errors.Is(err, errReadOnly) {
		t.Errorf("write by a reader: %v", err)
	}
	boxes, err := guest.Mailboxes(t.Context())
	if err != nil || len(boxes) != 1 {
		t.Errorf("a reader sees %d mailboxes, %v", len(boxes), err)
	}
}

// TestCleanFlag follows the flag through sessions that end well or not.
func TestCleanFlag(t *testing.T) {
	d := newDirectory(t)
	flag := func() string {
		t.Helper()
		s := open(t, d, Options{ReadOnly: true})
		defer s.Close()
		value, err := meta(t.Context(), s.reader, metaClean)
		must(t, err)
		return value
	}
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	if got := flag(); got != "0" {
		t.Errorf("while an owner writes: %q", got)
	}
	guest := open(t, d, Options{Guest: true})
	must(t, guest.PutLastRun(t.Context(), Run{}))
	must(t, guest.Close())
	if got := flag(); got != "0" {
		t.Errorf("after a guest left: %q", got)
	}
	must(t, s.Close())
	if got := flag(); got != "1" {
		t.Errorf("after the owner left: %q", got)
	}
	path := s.path
	s = open(t, d, Options{})
	_, err := s.Mailboxes(t.Context())
	must(t, err)
	raw(t, path, "UPDATE meta SET value = '0' WHERE key = 'clean'")
	must(t, s.Close())
	if got := flag(); got != "0" {
		t.Errorf("after an owner that wrote nothing: %q", got)
	}
	must(t, open(t, d, Options{}).Close())
	if got := flag(); got != "1" {
		t.Errorf("after the examination: %q", got)
	}
}

func TestHookPoints(t *testing.T) {
	var got []string
	s := open(t, newDirectory(t), Options{Hook: func(point string) { got = append(got, point) }})
	putMailboxes(t, s, "INBOX")
	must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 1, "a")}))
	must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{paired("INBOX", 1, "a")}}))
	if err := s.Settle(t.Context(), state.Settlement{Put: []state.Record{paired("none", 1, "a")}}); err == nil {
		t.Error("a settlement in an unknown mailbox")
	}
	must(t, s.Settle(t.Context(), state.Settlement{}))
	_, err := s.PutHolds(t.Context(), nil)
	must(t, err)
	must(t, s.ForgetMailbox(t.Context(), "INBOX"))
	must(t, s.Close())
	must(t, s.Close())
	want := []string{pointCreated, pointMailbox, pointIntended, pointSettled, pointForgotten, pointClosed, pointDaily}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

func TestCancelledWrite(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.PutMailbox(ctx, mailbox("INBOX")); !errors.Is(err, context.Canceled) {
		t.Errorf("write after the end of its context: %v", err)
	}
	boxes, err := s.Mailboxes(t.Context())
	if err != nil || len(boxes) != 0 {
		t.Errorf("%d mailboxes, %v", len(boxes), err)
	}
}

// TestConcurrent lets readers look on while writers move all messages from one
// mailbox to another and back: each message is in exactly one of them.
func TestConcurrent(t *testing.T) {
	const messages, rounds, readers = 50, 20, 6
	d := newDirectory(t)
	s := open(t, d, Options{})
	other := open(t, d, Options{Guest: true}) // as a second process would
	putMailboxes(t, s, "A", "B")
	in := map[string][]state.Record{"A": manyRecords("A", 1, messages), "B": manyRecords("B", 1, messages)}
	must(t, s.Settle(t.Context(), state.Settlement{Put: in["A"]}))

	done := make(chan struct{})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, name := range []string{"A", "B"} {
					got, err := s.Records(t.Context(), name)
					if err != nil || len(got) != 0 && len(got) != messages {
						t.Errorf("%s shows %d records, %v", name, len(got), err)
						return
					}
				}
			}
		})
	}
	var writers sync.WaitGroup
	for _, w := range []*Store{s, other} {
		writers.Go(func() {
			for range rounds {
				for _, names := range [][2]string{{"A", "B"}, {"B", "A"}} {
					if err := w.Settle(t.Context(), state.Settlement{Drop: in[names[0]], Put: in[names[1]]}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writers.Wait()
	close(done)
	wg.Wait()
	var total int
	for _, name := range []string{"A", "B"} {
		got, err := s.Records(t.Context(), name)
		must(t, err)
		total += len(got)
	}
	if total != messages && total != 2*messages {
		t.Errorf("%d records at the end", total)
	}
}

func TestConstraints(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{paired("INBOX", 1, "a")}}))
	must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 1, "a")}))
	_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1, 2)})
	must(t, err)
	statements := []string{
		"UPDATE record SET uid = 0", "UPDATE record SET uid = 4294967296", "UPDATE record SET uid = 'one'",
		"UPDATE record SET uid = NULL", "UPDATE record SET key = NULL", "UPDATE record SET key = ''",
		"UPDATE record SET digest = NULL", "UPDATE record SET digest = x'00'", "UPDATE record SET plain = x'00'", "UPDATE record SET flags = 64",
		"UPDATE record SET state = 2", "UPDATE record SET state = 3", "UPDATE record SET state = 5",
		"UPDATE record SET state = 5, uid = NULL", "UPDATE record SET state = 3, key = NULL, since = 1", "UPDATE record SET state = 7",
		"UPDATE record SET state = 5, uid = NULL, since = 1, digest = NULL",
		"UPDATE record SET mailbox = 99", "UPDATE mailbox SET folder = ''", "UPDATE mailbox SET uidvalidity = -1",
		"INSERT INTO record SELECT mailbox, uid, 'b', state, flags, inode, size, mtime, digest, header, content_size," +
			" wire_size, remote_size, remote_date, remote_header, tries, next_at, reason, since, sum, local_flags, keywords, local_keywords, NULL FROM record",
		"INSERT INTO record SELECT mailbox, 2, key, state, flags, inode, size, mtime, digest, header, content_size," +
			" wire_size, remote_size, remote_date, remote_header, tries, next_at, reason, since, sum, local_flags, keywords, local_keywords, NULL FROM record",
		"UPDATE intent SET uid = NULL", "UPDATE intent SET kind = 2", "UPDATE intent SET kind = 3",
		"UPDATE hold SET decision = 3", "UPDATE hold_range SET last = 0", "UPDATE hold_range SET hold = 99",
		"UPDATE mailbox SET doubt = 3", "UPDATE record SET local_flags = 64", "UPDATE mailbox SET tagged = 2", "UPDATE hold SET lost = -1",
		"INSERT INTO tombstone VALUES (99, 1, 1, 0, 0, NULL, 0, 0, 0)", "INSERT INTO tombstone VALUES (1, 0, 1, 0, 0, NULL, 0, 0, 0)",
		"INSERT INTO given_up SELECT id, kind, 99, uidvalidity, uid, uidnext, key, flags, date, digest, header," +
			" content_size, wire_size, replaces, created, 0, sum, keywords, plain FROM intent",
	}
	for _, statement := range statements {
		_, err := s.writer.ExecContext(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), "constraint failed") && !strings.Contains(err.Error(), "cannot store") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
