package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// fakeV2 is a schema step that later programs might have.
const fakeV2 = `
	ALTER TABLE mailbox ADD COLUMN subscribed INTEGER NOT NULL DEFAULT 1 CHECK (subscribed IN (0, 1));
	CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;`

// fixture builds the database of testdata/name, which holds what an earlier
// program wrote, and returns a directory with it.
func fixture(t *testing.T, name string) *Directory {
	t.Helper()
	d := newDirectory(t)
	must(t, d.makeAccount(testID))
	must(t, d.putAccount(testAccount()))
	path := filepath.Join(d.path, testID, databaseName)
	script, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	must(t, os.WriteFile(path, nil, 0o600))
	raw(t, path, string(script))
	return d
}

// contents is everything that the fixture of schema 1 holds.
func contents() (state.Mailbox, []state.Record, []state.Intent, []state.Hold, []state.Held) {
	stuck := state.Record{
		Mailbox: "INBOX", Key: "stuck", State: state.UploadStuck,
		Retry: state.Retry{Count: 2, NextAt: 3, Reason: "too big"},
	}
	intent, h := download("INBOX", 9, "coming"), hold(1, "INBOX", 1, 2, 5)
	intent.ID, h.Decision = 1, state.Rejected
	return mailbox("INBOX"), []state.Record{stuck, paired("INBOX", 1, "a")}, []state.Intent{intent},
		[]state.Hold{h}, []state.Held{{Path: "p", Mailbox: "INBOX", Key: "k", Removed: 4, Reason: "r"}}
}

func checkContents(t *testing.T, s *Store) {
	t.Helper()
	m, records, intents, holds, held := contents()
	gotM, err := s.Mailboxes(t.Context())
	must(t, err)
	gotR, err := s.Records(t.Context(), m.Name)
	must(t, err)
	gotI, err := s.Intents(t.Context())
	must(t, err)
	gotH, err := s.Holds(t.Context())
	must(t, err)
	gotF, err := s.HeldFiles(t.Context(), 0)
	must(t, err)
	want := []any{[]state.Mailbox{m}, records, intents, holds, held}
	if diff := cmp.Diff(want, []any{gotM, gotR, gotI, gotH, gotF}); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

func TestReadsSchemaV1(t *testing.T) {
	checkContents(t, open(t, fixture(t, "schema_v1.sql"), Options{}))
}

// TestReleasedSchemaStays compares the schema that the steps make with that of
// the fixture: a step that was released may not change any more.
func TestReleasedSchemaStays(t *testing.T) {
	dump := func(s *Store) []string {
		list, err := read(t.Context(), s, "dump", func(rows *sql.Rows) (string, error) {
			var text string
			err := rows.Scan(&text)
			return text, err
		}, "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name")
		must(t, err)
		return list
	}
	want := dump(open(t, fixture(t, "schema_v1.sql"), Options{}))
	if diff := cmp.Diff(want, dump(newStore(t))); diff != "" {
		t.Errorf("schema 1 changed (-released +now):\n%s", diff)
	}
}

func TestUpgrade(t *testing.T) {
	d := fixture(t, "schema_v1.sql")
	d.steps = append(schema(), fakeV2)

	_, err := d.Open(t.Context(), testAccount(), Options{Guest: true})
	if e, ok := errors.AsType[*state.Error](err); !ok || e.Cause != state.CauseConfig || e.Hint == "" {
		t.Errorf("a guest on an old schema: %v", err)
	}
	var points []string
	s := open(t, d, Options{Program: "2.0", Now: testNow, Hook: func(p string) { points = append(points, p) }})
	if diff := cmp.Diff([]string{pointUpgraded}, points); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	checkContents(t, s)
	if _, err := s.writer.ExecContext(t.Context(), "INSERT INTO later VALUES (1)"); err != nil {
		t.Errorf("the step was not carried out: %v", err)
	}
	must(t, s.Close())

	// The program before the upgrade refuses the database, and says what to do.
	d.steps = schema()
	_, err = d.Open(t.Context(), testAccount(), Options{Program: "1.0"})
	e, ok := errors.AsType[*state.Error](err)
	backup := filepath.Join(d.path, testID, "state-v1.db")
	if !ok || e.Cause != state.CauseConfig || e.Scope != state.ScopeAccount ||
		!strings.Contains(e.Error(), "written by Mailmoor 2.0 on 2023-11-14 with schema 2") || !strings.Contains(e.Hint, backup) {
		t.Fatalf("newer database: %v, hint of %+v", err, e)
	}
	// The copy is complete.
	for _, name := range []string{"state.db", "state.db-wal", "state.db-shm"} {
		_ = os.Remove(filepath.Join(d.path, testID, name))
	}
	must(t, os.Rename(backup, filepath.Join(d.path, testID, databaseName)))
	checkContents(t, open(t, d, Options{}))
}

// TestUpgradeIsOneTransaction stops an upgrade in its second step.
func TestUpgradeIsOneTransaction(t *testing.T) {
	d := fixture(t, "schema_v1.sql")
	d.steps = append(schema(), fakeV2, "CREATE TABLE later (oops)")
	for range 2 {
		if _, err := d.Open(t.Context(), testAccount(), Options{}); err == nil || !strings.Contains(err.Error(), "schema step 3") {
			t.Fatalf("a step that fails: %v", err)
		}
	}
	d.steps = schema()
	checkContents(t, open(t, d, Options{}))
	d.steps = append(schema(), fakeV2)
	checkContents(t, open(t, d, Options{}))
}

// TestCreationInterrupted leaves behind what a crash before the rename would.
func TestCreationInterrupted(t *testing.T) {
	d := newDirectory(t)
	must(t, d.makeAccount(testID))
	must(t, d.putAccount(testAccount()))
	path := filepath.Join(d.path, testID, databaseName)
	broken := append(schema(), "CREATE TABLE meta (oops)")
	if err := create(context.Background(), path, broken, Options{Now: testNow}); err == nil {
		t.Fatal("a step that fails was carried out")
	}
	must(t, os.WriteFile(path+".new-wal", []byte("rubbish"), 0o600))
	putMailboxes(t, open(t, d, Options{}), "INBOX")
}

// TestWriteFixture documents how the fixture came to be; it is run by hand when
// a new schema is released.
func TestWriteFixture(t *testing.T) {
	if os.Getenv("WRITE_FIXTURE") == "" {
		t.Skip("WRITE_FIXTURE is not set")
	}
	s := open(t, newDirectory(t), Options{Program: "0.1.0", Now: testNow})
	m, records, intents, holds, held := contents()
	must(t, s.PutMailbox(t.Context(), m))
	must(t, s.Settle(t.Context(), state.Settlement{Put: records, Held: held}))
	intents[0].ID, holds[0].ID = 0, 0
	must(t, s.Intend(t.Context(), intents))
	_, err := s.PutHolds(t.Context(), holds)
	must(t, err)
	must(t, s.Close())
	t.Log("dump with the shell of SQLite: ", s.path)
	must(t, os.Rename(s.path, os.Getenv("WRITE_FIXTURE")))
}
