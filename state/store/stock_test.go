package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailmoor/state"
)

func TestCompareAges(t *testing.T) {
	for _, test := range []struct {
		database, marker int64
		clean            bool
		want             age
		next             int64
	}{
		{0, 1, true, sameAge, 2},
		{0, 9, true, sameAge, 10}, // the state was lost, or is from before there were generations
		{0, 1, false, sameAge, 2},
		{5, 5, true, sameAge, 6},
		{5, 5, false, sameAge, 6},
		{6, 5, false, sameAge, 6}, // killed between database and marker
		{6, 5, true, oldTree, 7},
		{7, 5, false, oldTree, 8},
		{7, 5, true, oldTree, 8},
		{5, 6, true, oldState, 7},
		{5, 6, false, oldState, 7}, // the marker is never first
		{5, 60, true, oldState, 61},
	} {
		got, next := compareAges(test.database, test.marker, test.clean)
		if got != test.want || next != test.next {
			t.Errorf("database %d, marker %d, clean %v: %v, next %d; want %v, %d",
				test.database, test.marker, test.clean, got, next, test.want, test.next)
		}
	}
}

// root stands for the marker of a root.
type root struct {
	generation int64
	marks      int
	err        error
}

func (r *root) options() Options {
	return Options{Now: testNow, Marked: r.generation, Mark: func(generation int64) error {
		if r.err == nil {
			r.generation = generation
			r.marks++
		}
		return r.err
	}}
}

// session opens the state as a run does, lets do work with it, and returns the news.
func (r *root) session(t *testing.T, d *Directory, account Account, do func(s *Store)) []News {
	t.Helper()
	s, err := d.Open(t.Context(), account, r.options())
	must(t, err)
	news, err := s.News(t.Context())
	must(t, err)
	if len(news) > 0 {
		must(t, s.Told(t.Context()))
	}
	do(s)
	must(t, s.Close())
	return news
}

func (r *root) quiet(t *testing.T, d *Directory, do func(s *Store)) {
	t.Helper()
	if news := r.session(t, d, testAccount(), do); len(news) > 0 {
		t.Errorf("news: %+v", news)
	}
}

func nothing(*Store) {}

// believed puts a mailbox with a stamp, as a run does that has settled all.
func believed(t *testing.T) func(s *Store) {
	return func(s *Store) {
		t.Helper()
		must(t, s.PutMailbox(t.Context(), mailbox("INBOX")))
		_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
		must(t, err)
	}
}

// wantDoubt demands that every mailbox is in that doubt, and that no hold is left then.
func wantDoubt(t *testing.T, s *Store, want state.Doubt) {
	t.Helper()
	boxes, err := s.Mailboxes(t.Context())
	must(t, err)
	holds, err := s.Holds(t.Context())
	must(t, err)
	for _, m := range boxes {
		stamped := m.Stamp != (state.FolderStamp{}) && m.Statted != 0
		if m.Doubt != want || stamped != (want != state.DoubtBase) {
			t.Errorf("mailbox %q is in doubt %d, stamp %+v, looked at %d", m.Name, m.Doubt, m.Stamp, m.Statted)
		}
	}
	if len(boxes) == 0 || (len(holds) > 0) != (want == state.Believed) {
		t.Errorf("%d mailboxes, %d holds", len(boxes), len(holds))
	}
}

// TestGenerationIsRaisedOnce follows the marker through ordinary runs.
func TestGenerationIsRaisedOnce(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	if r.generation != 2 || r.marks != 1 {
		t.Errorf("after the first run: %+v", r)
	}
	r.quiet(t, d, func(s *Store) {
		_, err := s.Records(t.Context(), "INBOX")
		must(t, err)
		_, err = s.Notices(t.Context(), 7, []state.Problem{{Text: "p"}})
		must(t, err)
		must(t, s.PutLastRun(t.Context(), Run{Started: 1}))
		must(t, s.Settle(t.Context(), state.Settlement{}))
	})
	if r.generation != 2 || r.marks != 1 {
		t.Errorf("after a run that changed nothing: %+v", r)
	}
	r.quiet(t, d, func(s *Store) {
		must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 3)}))
		must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 9, "k")}))
		must(t, s.ForgetMailbox(t.Context(), "none"))
	})
	if r.generation != 3 || r.marks != 2 {
		t.Errorf("after a run that changed much: %+v", r)
	}
	// Other programs that open the state know nothing of markers.
	putMailboxes(t, open(t, d, Options{}), "Sent")
	r.quiet(t, d, nothing)
}

// files returns the account's database, to be put back later. It is closed.
func files(t *testing.T, d *Directory) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(d.path, testID, databaseName))
	must(t, err)
	return data
}

func TestOldStatePutBack(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	old := files(t, d)
	r.quiet(t, d, believed(t))
	r.quiet(t, d, nothing)
	must(t, os.WriteFile(filepath.Join(d.path, testID, databaseName), old, 0o600))

	// A dry run sees what the run will see, and changes nothing.
	guest, err := d.Open(t.Context(), testAccount(), Options{Guest: true, Marked: r.generation})
	must(t, err)
	boxes, err := guest.Mailboxes(t.Context())
	must(t, err)
	if boxes[0].Doubt != state.DoubtBase || boxes[0].Stamp != (state.FolderStamp{}) {
		t.Errorf("a guest sees %+v", boxes)
	}
	must(t, guest.Close())

	news := r.session(t, d, testAccount(), func(s *Store) { wantDoubt(t, s, state.DoubtBase) })
	if len(news) != 1 || !strings.Contains(string(news[0].Text), "the state is older than the mail in /mail/personal") {
		t.Errorf("news: %+v", news)
	}
	r.quiet(t, d, func(s *Store) {
		wantDoubt(t, s, state.DoubtBase) // nobody has cleared it up yet
		believed(t)(s)
	})
	r.quiet(t, d, func(s *Store) { wantDoubt(t, s, state.Believed) })
}

func TestOldTreePutBack(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	was := r.generation
	r.quiet(t, d, believed(t))
	r.generation = was
	news := r.session(t, d, testAccount(), func(s *Store) { wantDoubt(t, s, state.DoubtBase) })
	if len(news) != 1 || !strings.Contains(string(news[0].Text), "the mail in /mail/personal is older than the state") {
		t.Errorf("news: %+v", news)
	}
	if r.generation != was+2 {
		t.Errorf("generation %d after %d, which both had seen", r.generation, was+1)
	}
	r.quiet(t, d, believed(t))
}

// TestMarkFails: the tree cannot be written to. Nothing is recorded, and no later run
// takes that for a tree that was put back.
func TestMarkFails(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	readOnly := errors.New("the file system is mounted read-only")
	for range 3 {
		r.err = readOnly
		s, err := d.Open(t.Context(), testAccount(), r.options())
		must(t, err)
		for range 2 {
			if err := s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 3)}); !errors.Is(err, readOnly) {
				t.Errorf("settled: %v", err)
			}
		}
		must(t, s.PutLastRun(t.Context(), Run{Started: 1, Exit: 1}))
		must(t, s.Close())
	}
	r.err = nil
	r.quiet(t, d, func(s *Store) {
		wantDoubt(t, s, state.Believed)
		records, err := s.Records(t.Context(), "INBOX")
		if len(records) > 0 || err != nil {
			t.Errorf("%d records, %v", len(records), err)
		}
		believed(t)(s)
	})
	r.quiet(t, d, nothing)

	// When it is noticed that the tree is old, it cannot be noted either.
	r.generation, r.err = 1, readOnly
	if _, err := d.Open(t.Context(), testAccount(), r.options()); !errors.Is(err, readOnly) {
		t.Errorf("opened: %v", err)
	}
	r.err = nil
	news := r.session(t, d, testAccount(), func(s *Store) { wantDoubt(t, s, state.DoubtBase) })
	if len(news) == 0 {
		t.Error("the user is not told")
	}
}

// TestKilledBetweenDatabaseAndMarker leaves the database one ahead of the marker.
func TestKilledBetweenDatabaseAndMarker(t *testing.T) {
	d, r := newDirectory(t), &root{generation: 1}
	r.quiet(t, d, believed(t))
	type killed struct{}
	func() {
		o := r.options()
		o.Mark = func(int64) error { panic(killed{}) }
		s, err := d.Open(t.Context(), testAccount(), o)
		must(t, err)
		defer func() {
			if _, ok := recover().(killed); !ok {
				t.Error("the marker was not asked for")
			}
			_, _ = s.reader.Close(), s.writer.Close()
		}()
		_ = s.PutMailbox(t.Context(), mailbox("Sent"))
	}()
	r.quiet(t, d, func(s *Store) { wantDoubt(t, s, state.Believed) })
	r.quiet(t, d, believed(t))
	r.quiet(t, d, nothing)
}
