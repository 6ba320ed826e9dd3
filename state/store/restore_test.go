package store

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/state"
)

var flipsFlag = flag.Int("flips", 200, "how often a database is damaged")

// removeCopies removes the daily copies of the database.
func removeCopies(t *testing.T, path string) {
	t.Helper()
	copies, err := dailyCopies(path, time.Now())
	must(t, err)
	for _, c := range copies {
		must(t, os.Remove(c.path))
	}
}

// victim is a directory with a database that can be damaged again and again.
type victim struct {
	*testing.T
	d    *Directory
	path string
	// files are the whole database and its log; wal is nil when it was closed cleanly.
	db, wal []byte
	// states are what was true after each transaction that the log may hold.
	states []account
	// copied is what the daily copy holds; without one, nothing.
	copied account
}

// newVictim makes a database in three runs. The last one is killed when the files are
// taken.
func newVictim(t *testing.T, killed, withCopy bool) *victim {
	t.Helper()
	d := newDirectory(t)
	v := &victim{T: t, d: d, path: filepath.Join(d.path, testID, databaseName)}
	run := func(after time.Duration, do func(s *Store)) {
		s, err := d.Open(t.Context(), testAccount(), Options{Now: func() time.Time { return testNow().Add(after) }})
		must(t, err)
		do(s)
		a, err := readAccount(t, s)
		must(t, err)
		v.states = append(v.states, a)
		must(t, s.Close())
	}
	run(0, func(s *Store) { write(t, s, accountV3()) })
	if withCopy {
		v.copied = v.states[0]
	}
	run(time.Hour, func(s *Store) {
		must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("Ärger", 1, 40), Drop: []state.Record{paired("INBOX", 1, "a")}}))
	})
	v.states = v.states[1:]
	s, err := d.Open(t.Context(), testAccount(), Options{Now: func() time.Time { return testNow().Add(2 * time.Hour) }})
	must(t, err)
	if killed {
		for i := range 5 {
			must(t, s.Settle(t.Context(), state.Settlement{
				Put: manyRecords("INBOX", 100+10*i, 10), Held: []state.Held{{Path: fmt.Sprint("late ", i), Removed: 9}},
			}))
			a, err := readAccount(t, s)
			must(t, err)
			v.states = append(v.states, a)
		}
		v.wal, err = os.ReadFile(v.path + "-wal")
		must(t, err)
	}
	v.db, err = os.ReadFile(v.path)
	must(t, err)
	must(t, s.Close())
	if !withCopy {
		removeCopies(t, v.path)
	}
	return v
}

// check opens the database with these files, twice if need be, and demands that what it
// then shows is what was written, or the copy. It returns which of them.
func (v *victim) check(what string, db, wal []byte) (outcome string) {
	v.Helper()
	dir := filepath.Dir(v.path)
	for _, name := range names(v.T, dir) {
		if strings.HasPrefix(name, databaseName) || strings.HasPrefix(name, asidePrefix) {
			must(v.T, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	must(v.T, os.WriteFile(v.path, db, 0o600))
	if wal != nil {
		must(v.T, os.WriteFile(v.path+"-wal", wal, 0o600))
	}
	var seen []error
	for range 2 {
		s, err := v.d.Open(v.Context(), testAccount(), Options{Now: testNow})
		if err != nil {
			v.Errorf("%s: opening fails: %v", what, err)
			return "failed"
		}
		got, err := readAccount(v.T, s)
		news, newsErr := s.News(v.Context())
		_ = s.Close()
		if err == nil && newsErr == nil {
			return v.judge(what, got, news)
		}
		seen = append(seen, err, newsErr)
	}
	v.Errorf("%s: the second opening shows no readable state either: %v", what, seen)
	return "failed"
}

// judge says what an opening has led to.
func (v *victim) judge(what string, got account, news []News) string {
	v.Helper()
	if len(news) == 0 {
		for i, want := range v.states {
			if diffAccounts(want, got) == "" {
				if i < len(v.states)-1 {
					return "an earlier transaction"
				}
				return "unharmed"
			}
		}
		v.Errorf("%s: wrong data, without a word (-want +got):\n%s", what, diffAccounts(v.states[len(v.states)-1], got))
		return "failed"
	}
	want, outcome := v.copied, "restored"
	if want.mailboxes == nil {
		outcome = "empty"
	}
	want.mailboxes, want.holds = slices.Clone(want.mailboxes), nil
	for i, m := range want.mailboxes {
		want.mailboxes[i] = doubted(m, state.DoubtBase)
	}
	for _, h := range got.held {
		if !slices.Contains(v.states[len(v.states)-1].held, h) {
			v.Errorf("%s: held file %+v was never listed", what, h)
		}
	}
	for _, h := range want.held {
		if !slices.Contains(got.held, h) {
			v.Errorf("%s: held file %+v is not listed any more", what, h)
		}
	}
	want.held = got.held
	if diff := diffAccounts(want, got); diff != "" {
		v.Errorf("%s: %s (-want +got):\n%s", what, outcome, diff)
	}
	aside, err := filepath.Glob(filepath.Join(filepath.Dir(v.path), asidePrefix+"*", databaseName))
	if err != nil || len(aside) != 1 || len(news) != 1 || !strings.Contains(string(news[0].Hint), aside[0]) {
		v.Errorf("%s: the damaged database is in %v, the news are %+v", what, aside, news)
	}
	return outcome
}

// TestDamage damages bytes of a database and of its log, and cuts them short. Every
// opening ends with what was written, or with a copy or nothing, of which the user is
// told. SQLite ends a log at the first frame whose checksum does not fit: what is true
// then is what was true after an earlier transaction of the run that was killed.
func TestDamage(t *testing.T) {
	for _, test := range []struct {
		name             string
		killed, withCopy bool
		share            int // of the flips, in percent
	}{{"closed", false, true, 40}, {"killed", true, true, 40}, {"without a copy", false, false, 20}} {
		t.Run(test.name, func(t *testing.T) {
			random := newRandom(t)
			v := newVictim(t, test.killed, test.withCopy)
			outcomes := map[string]int{}
			flips := *flipsFlag * test.share / 100
			if testing.Short() {
				flips /= 4
			}
			for range flips {
				db, wal := slices.Clone(v.db), slices.Clone(v.wal)
				what, file := "database", db
				if random.IntN(2) == 0 && len(wal) > 0 {
					what, file = "log", wal
				}
				at, bits := offset(random, len(file)), byte(1+random.IntN(255))
				file[at] ^= bits
				outcomes[v.check(fmt.Sprintf("%s, byte %d, bits %08b", what, at, bits), db, wal)]++
			}
			for range flips / 8 {
				n, m := offset(random, len(v.db)), offset(random, len(v.wal)+1)
				if len(v.wal) == 0 || random.IntN(2) == 0 {
					outcomes[v.check(fmt.Sprintf("database cut to %d bytes", n), v.db[:n], v.wal)]++
				} else {
					outcomes[v.check(fmt.Sprintf("log cut to %d bytes", m), v.db, v.wal[:m])]++
				}
			}
			t.Logf("of %d bytes and %d of log: %v", len(v.db), len(v.wal), outcomes)
			if outcomes["unharmed"] == 0 || outcomes["restored"]+outcomes["empty"] == 0 {
				t.Error("the test proves nothing")
			}
		})
	}
}

// offset prefers the beginning, where headers and the schema are.
func offset(random *rand.Rand, n int) int {
	if random.IntN(4) == 0 {
		return random.IntN(min(n, 100))
	}
	return random.IntN(n)
}
