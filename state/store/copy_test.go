package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// copyRun is one run at some time that writes a mailbox; it fails on any warning.
func copyRun(t *testing.T, d *Directory, now time.Time, name string) {
	t.Helper()
	s, err := d.Open(t.Context(), testAccount(), Options{
		Now: func() time.Time { return now }, Warn: func(err error) { t.Errorf("warned: %v", err) },
	})
	must(t, err)
	if name != "" {
		putMailboxes(t, s, name)
	}
	must(t, s.Close())
}

// copiesOf returns the names of the daily copies with the mailboxes in them.
func copiesOf(t *testing.T, d *Directory) map[string][]string {
	t.Helper()
	copies, err := dailyCopies(filepath.Join(d.path, testID, databaseName), testNow())
	must(t, err)
	got := map[string][]string{}
	for _, c := range copies {
		must(t, verifyFile(t.Context(), c.path, schema()))
		other := newDirectory(t)
		must(t, other.makeAccount(testID))
		data, err := os.ReadFile(c.path)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(other.path, testID, databaseName), data, 0o600))
		boxes, err := open(t, other, Options{}).Mailboxes(t.Context())
		must(t, err)
		var list []string
		for _, b := range boxes {
			list = append(list, b.Name)
		}
		got[filepath.Base(c.path)] = list
	}
	return got
}

func TestDailyCopies(t *testing.T) {
	d := newDirectory(t)
	at := func(after time.Duration) time.Time { return testNow().Add(after) }
	const day = 24 * time.Hour
	steps := []struct {
		name string
		now  time.Time
		put  string
		want map[string][]string
	}{
		{"the first run", at(0), "a", map[string][]string{"state-20231114T221320Z.db": {"a"}}},
		{"a run on the same day", at(day - time.Second), "b", map[string][]string{"state-20231114T221320Z.db": {"a"}}},
		{"a run that writes nothing", at(day), "", map[string][]string{"state-20231114T221320Z.db": {"a"}}},
		{"a day later", at(day), "c", map[string][]string{
			"state-20231114T221320Z.db": {"a"}, "state-20231115T221320Z.db": {"a", "b", "c"},
		}},
		{"the clock was set back", at(-day), "d", map[string][]string{
			"state-20231113T221320Z.db": {"a", "b", "c", "d"}, "state-20231114T221320Z.db": {"a"},
			"state-20231115T221320Z.db": {"a", "b", "c"},
		}},
		{"and again", at(-day + time.Hour), "e", map[string][]string{
			"state-20231113T221320Z.db": {"a", "b", "c", "d"}, "state-20231114T221320Z.db": {"a"},
			"state-20231115T221320Z.db": {"a", "b", "c"},
		}},
		{"after some days", at(5 * day), "f", map[string][]string{
			"state-20231114T221320Z.db": {"a"}, "state-20231115T221320Z.db": {"a", "b", "c"},
			"state-20231119T221320Z.db": {"a", "b", "c", "d", "e", "f"},
		}},
	}
	for _, step := range steps {
		copyRun(t, d, step.now, step.put)
		if diff := cmp.Diff(step.want, copiesOf(t, d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// TestGuestsMakeNoCopies: a guest does not hold the account's lock.
func TestGuestsMakeNoCopies(t *testing.T) {
	d := newDirectory(t)
	copyRun(t, d, testNow(), "a")
	s, err := d.Open(t.Context(), testAccount(), Options{Guest: true, Now: func() time.Time { return testNow().Add(48 * time.Hour) }})
	must(t, err)
	putMailboxes(t, s, "b")
	must(t, s.Close())
	if got := copiesOf(t, d); len(got) != 1 {
		t.Errorf("the copies are %v", got)
	}
}

// TestCopyIsChecked damages a row that no run looks at: it must not get into the
// copies, which would all have it after some days.
func TestCopyIsChecked(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{Now: testNow})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 10)}))
	must(t, s.Close())
	raw(t, s.path, "UPDATE record SET size = size + 1 WHERE uid = 5")
	var warned []error
	s, err := d.Open(t.Context(), testAccount(), Options{
		Now: func() time.Time { return testNow().Add(25 * time.Hour) }, Warn: func(err error) { warned = append(warned, err) },
	})
	must(t, err)
	putMailboxes(t, s, "INBOX")
	must(t, s.Close())
	if len(warned) != 1 || !strings.Contains(warned[0].Error(), "UID 5") {
		t.Errorf("warnings: %v", warned)
	}
	if got := copiesOf(t, d); len(got) != 1 {
		t.Errorf("the copies are %v", got)
	}
	for _, name := range names(t, filepath.Dir(s.path)) {
		if strings.Contains(name, ".tmp") {
			t.Errorf("%s stays", name)
		}
	}
}

// TestCopyInterrupted leaves behind what a kill in the middle would.
func TestCopyInterrupted(t *testing.T) {
	d := newDirectory(t)
	must(t, d.makeAccount(testID))
	draft := filepath.Join(d.path, testID, "state-20231114T000000Z.db.tmp")
	must(t, os.WriteFile(draft, []byte("half"), 0o600))
	must(t, os.WriteFile(draft+"-journal", []byte("half"), 0o600))
	copyRun(t, d, testNow(), "a")
	for _, name := range names(t, filepath.Dir(draft)) {
		if strings.Contains(name, ".tmp") {
			t.Errorf("%s stays", name)
		}
	}
	if got := copiesOf(t, d); len(got) != 1 {
		t.Errorf("the copies are %v", got)
	}
}
