package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailmoor/state"
)

// closedAccount leaves a database with a hold in it, a copy that knows nothing of the
// hold, and returns the path and what is true.
func closedAccount(t *testing.T, d *Directory) (string, account) {
	t.Helper()
	s := open(t, d, Options{Now: testNow})
	write(t, s, accountV2())
	must(t, s.Close())
	s = open(t, d, Options{Now: testNow})
	_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
	must(t, err)
	want, err := readAccount(t, s)
	must(t, err)
	must(t, s.Close())
	return s.path, want
}

// spoil makes the first pages unreadable, and returns what puts them back.
func spoil(t *testing.T, path string) (restore func()) {
	t.Helper()
	good, err := os.ReadFile(path)
	must(t, err)
	bad := append([]byte(nil), good...)
	copy(bad[100:], strings.Repeat("\xff", 1500))
	must(t, os.WriteFile(path, bad, 0o600))
	return func() { must(t, os.WriteFile(path, good, 0o600)) }
}

// wantKept demands that the database is the one that there was.
func wantKept(t *testing.T, d *Directory, path string, want account) {
	t.Helper()
	s := open(t, d, Options{Now: testNow})
	checkAccount(t, s, want)
	if news, err := s.News(t.Context()); len(news) > 0 || err != nil {
		t.Errorf("news %v, %v", news, err)
	}
	must(t, s.Close())
	for _, name := range names(t, filepath.Dir(path)) {
		if strings.HasPrefix(name, asidePrefix) || strings.HasSuffix(name, noteSuffix) {
			t.Errorf("%s is there", name)
		}
	}
}

// TestMisreadOnce: what looked damaged when it was opened, and is whole when it is opened
// again, stays in use. It may take each of the examinations until it is read right. What
// is damaged in all of them is replaced.
func TestMisreadOnce(t *testing.T) {
	for rightAt := 1; rightAt <= examinations+1; rightAt++ {
		d := newDirectory(t)
		path, want := closedAccount(t, d)
		restore := spoil(t, path)
		seen, warnings := 0, []string(nil)
		s := open(t, d, Options{
			Now:  testNow,
			Warn: func(err error) { warnings = append(warnings, err.Error()) },
			Hook: func(point string) {
				if point != pointSuspected {
					return
				}
				if _, found, err := readNote(path); !found || err != nil {
					t.Errorf("no note for the next run: %v", err)
				}
				if seen++; seen == rightAt {
					restore()
				}
			},
		})
		must(t, s.Close())
		if seen != min(rightAt, examinations) {
			t.Errorf("%d examinations, read right at %d", seen, rightAt)
		}
		if rightAt <= examinations {
			if len(warnings) != 1 || !strings.Contains(warnings[0], "stays in use") {
				t.Errorf("warnings %q", warnings)
			}
			wantKept(t, d, path, want)
			continue
		}
		s = open(t, d, Options{Now: testNow})
		if news, err := s.News(t.Context()); len(news) != 1 || err != nil {
			t.Errorf("real damage: news %v, %v", news, err)
		}
		wantDoubt(t, s, state.DoubtBase)
	}
}

// TestMisreadAfterAKill: as TestMisreadOnce, with a log that no run has folded in.
func TestMisreadAfterAKill(t *testing.T) {
	v := newVictim(t, true, true)
	must(t, os.WriteFile(v.path, v.db, 0o600))
	restore := spoil(t, v.path)
	// Each opening may fold the log into what it takes for the database.
	s := open(t, v.d, Options{Now: testNow, Hook: func(point string) {
		if point == pointSuspected {
			restore()
			must(t, os.WriteFile(v.path+"-wal", v.wal, 0o600))
		}
	}})
	got, err := readAccount(t, s)
	must(t, err)
	if diff := diffAccounts(v.states[len(v.states)-1], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoteBesideAGoodDatabase: a run that met an error of the disk leaves a note, and the
// next one looks and goes on.
func TestNoteBesideAGoodDatabase(t *testing.T) {
	d := newDirectory(t)
	path, want := closedAccount(t, d)
	for _, note := range []string{`{"reason":"malformed (11)"}`, "no JSON", ""} {
		must(t, os.WriteFile(path+noteSuffix, []byte(note), 0o600))
		wantKept(t, d, path, want)
	}
}

// TestFindings: SQLite tells of a page that it could not read as of one that is bad.
func TestFindings(t *testing.T) {
	for finding, want := range map[string]error{
		"ok": nil,
		"Tree 5 page 9: unable to get the page. error code=8458": errUnread,
		"Tree 5 page 9: unable to get the page. error code=266":  errUnread,
		"Tree 5 page 9: unable to get the page. error code=11":   errDamaged,
		"row 3 missing from index record_by_uid":                 errDamaged,
	} {
		err := findingError(finding)
		if !errors.Is(err, want) || unusable("", err) != errors.Is(want, errDamaged) {
			t.Errorf("%q is %v", finding, err)
		}
	}
}

// TestMovingAsideFails: an error between two files of a damaged database ends the run;
// guests do not see the rest of it, and the next run goes on.
func TestMovingAsideFails(t *testing.T) {
	v := newVictim(t, true, true)
	must(t, os.WriteFile(v.path, v.db, 0o600))
	must(t, os.WriteFile(v.path+"-wal", v.wal, 0o600))
	must(t, writeNote(v.path, damageNote{Reason: "r", Aside: "damaged-x"}))
	aside := filepath.Join(filepath.Dir(v.path), "damaged-x")
	obstacle := filepath.Join(aside, databaseName+"-wal")
	must(t, os.MkdirAll(filepath.Join(obstacle, "full"), 0o700))

	_, err := v.d.Open(t.Context(), testAccount(), Options{Now: testNow})
	if err == nil || !strings.Contains(err.Error(), "move the damaged database aside") {
		t.Errorf("opening: %v", err)
	}
	if got, err := os.ReadFile(v.path); err != nil || string(got) != string(v.db) {
		t.Errorf("the database has moved before its log: %v", err)
	}
	if _, err := v.d.Open(t.Context(), testAccount(), Options{Guest: true}); !errors.Is(err, errDamaged) {
		t.Errorf("a guest opens what is being replaced: %v", err)
	}
	must(t, os.RemoveAll(obstacle))
	s := open(t, v.d, Options{Now: testNow})
	wantDoubt(t, s, state.DoubtBase)
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Lstat(filepath.Join(aside, databaseName+suffix)); err != nil {
			t.Error(err)
		}
	}
}
