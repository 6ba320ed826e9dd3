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

// fakeStep is a schema step that later programs might have.
const fakeStep = `
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

func checkAccount(t *testing.T, s *Store, want account) {
	t.Helper()
	got, err := readAccount(t, s)
	must(t, err)
	if diff := diffAccounts(want, got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

// fixtures are the databases that earlier programs have left, and what is in them.
func fixtures() map[string]account {
	return map[string]account{
		"schema_v1.sql": firstV1(), "account_v1.sql": accountV1(), "account_v2.sql": accountV2(), "account_v3.sql": accountV3(),
	}
}

// TestReadsFixtures upgrades what earlier programs have left, and works with it.
func TestReadsFixtures(t *testing.T) {
	for name, want := range fixtures() {
		t.Run(name, func(t *testing.T) {
			d := fixture(t, name)
			s := open(t, d, Options{Now: testNow})
			checkAccount(t, s, want)
			must(t, s.Close())
			// What an upgrade left behind is as good as what is written now.
			s = open(t, d, Options{Now: testNow})
			for _, r := range want.records {
				must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{r}}))
			}
			for _, m := range want.mailboxes {
				must(t, s.PutMailbox(t.Context(), m))
			}
			checkAccount(t, s, want)
			run, found, err := s.LastRun(t.Context())
			if name == "account_v1.sql" && (err != nil || !found || run.Exit != 4) {
				t.Errorf("the last run is %+v, %v, %v", run, found, err)
			}
		})
	}
}

// TestUpgradeSignsNothing damages a row of schema 1 before its upgrade: the checksum
// must still tell.
func TestUpgradeSignsNothing(t *testing.T) {
	for name, statement := range map[string]string{
		"uid":     "UPDATE record SET uid = 7 WHERE key = 'b'",
		"record":  "UPDATE record SET flags = flags | 32 WHERE key = 'a'",
		"mailbox": "UPDATE mailbox SET uidnext = 5 WHERE name = 'INBOX'",
		"intent":  "UPDATE intent SET uidnext = 5 WHERE id = 2",
		"hold":    "UPDATE hold_range SET last = 3 WHERE first = 1",
	} {
		for _, old := range []string{"account_v1.sql", "account_v2.sql", "account_v3.sql"} {
			d := fixture(t, old)
			raw(t, filepath.Join(d.path, testID, databaseName), statement)
			s := open(t, d, Options{})
			if _, err := readAccount(t, s); !errors.Is(err, errDamaged) {
				t.Errorf("%s of %s: %v after the upgrade", name, old, err)
			}
		}
	}
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
	d := fixture(t, "schema_v1.sql")
	d.steps = schema()[:1]
	want := dump(open(t, d, Options{Guest: true}))
	fresh := newDirectory(t)
	fresh.steps = schema()[:1]
	if diff := cmp.Diff(want, dump(open(t, fresh, Options{}))); diff != "" {
		t.Errorf("schema 1 changed (-released +now):\n%s", diff)
	}
}

func TestUpgrade(t *testing.T) {
	d := fixture(t, "account_v1.sql")
	d.steps = append(schema(), fakeStep)

	_, err := d.Open(t.Context(), testAccount(), Options{Guest: true})
	if e, ok := errors.AsType[*state.Error](err); !ok || e.Cause != state.CauseConfig || e.Hint == "" {
		t.Errorf("a guest on an old schema: %v", err)
	}
	var points []string
	s := open(t, d, Options{Program: "2.0", Now: testNow, Hook: func(p string) { points = append(points, p) }})
	if diff := cmp.Diff([]string{pointCopied, pointUpgraded}, points); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	checkAccount(t, s, accountV1())
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
		!strings.Contains(e.Error(), "written by Mailmoor 2.0 on 2023-11-14 with schema 6") || !strings.Contains(string(e.Hint), backup) {
		t.Fatalf("newer database: %v, hint of %+v", err, e)
	}
	// The copy is complete.
	for _, name := range []string{"state.db", "state.db-wal", "state.db-shm"} {
		_ = os.Remove(filepath.Join(d.path, testID, name))
	}
	must(t, os.Rename(backup, filepath.Join(d.path, testID, databaseName)))
	checkAccount(t, open(t, d, Options{Now: testNow}), accountV1())
}

// TestUpgradeIsOneTransaction stops an upgrade in its last step.
func TestUpgradeIsOneTransaction(t *testing.T) {
	d := fixture(t, "account_v1.sql")
	d.steps = append(schema(), fakeStep, "CREATE TABLE later (oops)")
	for range 2 {
		if _, err := d.Open(t.Context(), testAccount(), Options{}); err == nil || !strings.Contains(err.Error(), "schema step 7") {
			t.Fatalf("a step that fails: %v", err)
		}
	}
	d.steps = schema()
	s := open(t, d, Options{Now: testNow})
	checkAccount(t, s, accountV1())
	must(t, s.Close())
	d.steps = append(schema(), fakeStep)
	checkAccount(t, open(t, d, Options{Now: testNow}), accountV1())
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
	write(t, s, accountV3())
	must(t, s.Close())
	t.Log("dump with the shell of SQLite: ", s.path)
	must(t, os.Rename(s.path, os.Getenv("WRITE_FIXTURE")))
}
