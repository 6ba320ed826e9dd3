package maildir_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"mailmoor/state"
)

func TestSetFlags(t *testing.T) {
	const seen, flagged = state.Seen, state.Flagged
	tests := map[string]struct {
		file         string
		expect, want state.Flags
		renamed      string
	}{
		"new file gets flags":    {"new/k", 0, seen, "cur/k:2,S"},
		"new file, no change":    {"new/k", 0, 0, "new/k"},
		"flags replaced":         {"cur/k:2,S", seen, flagged, "cur/k:2,F"},
		"all flags removed":      {"cur/k:2,FS", flagged | seen, 0, "cur/k:2,"},
		"keywords and tail stay": {"cur/k:2,Sbd,foo", seen, seen | flagged, "cur/k:2,FSbd,foo"},
		"no info, no change":     {"cur/k", 0, 0, "cur/k"},
		"no info gets flags":     {"cur/k", 0, seen, "cur/k:2,S"},
		"info in new/":           {"new/k:2,S", seen, seen | flagged, "cur/k:2,FS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.put(mail, f.inbox, test.file)
			before := f.scan(f.inbox).New[0]
			m, err := f.SetFlags(t.Context(), f.inbox, "k", test.expect, test.want)
			f.ok(err)
			before.Flags, before.Content = test.want, state.Content{}
			if diff := cmp.Diff(before, m); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{".mailmoor", test.renamed}, f.names(f.path(f.inbox))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Each changer looks at the file first and leaves it alone when it is not what the
// plan saw.
func TestChangersAnswerStale(t *testing.T) {
	changers := map[string]func(f *fixture, r state.Record) error{
		"SetFlags": func(f *fixture, r state.Record) error {
			return errOf(f.SetFlags(f.t.Context(), f.inbox, r.Key, r.Flags, state.Flagged))
		},
		"Move": func(f *fixture, r state.Record) error {
			return errOf(f.Move(f.t.Context(), f.inbox, r, "Archive", r.Flags))
		},
		"Remove": func(f *fixture, r state.Record) error {
			return errOf(f.Remove(f.t.Context(), f.inbox, r, "test"))
		},
		"Open": func(f *fixture, r state.Record) error {
			return errOf(f.Open(f.t.Context(), f.inbox, state.LocalMessage{Key: r.Key, Stat: r.Stat, Content: r.Content}))
		},
	}
	events := map[string]struct {
		act  func(f *fixture)
		none []string // changers to which it makes no difference
	}{
		"file gone":  {act: func(f *fixture) { f.ok(os.Remove(f.path("INBOX/cur/k:2,S"))) }},
		"flag added": {act: func(f *fixture) { f.rename("INBOX/cur/k:2,S", "INBOX/cur/k:2,FS") }, none: []string{"Open"}},
		"edited":     {act: func(f *fixture) { f.put("something else\n", "INBOX/cur/k:2,S") }, none: []string{"SetFlags"}},
		"link instead": {act: func(f *fixture) {
			f.ok(os.Remove(f.path("INBOX/cur/k:2,S")))
			f.ok(os.Symlink("/dev/null", f.path("INBOX/cur/k:2,S")))
		}},
		"second file": {act: func(f *fixture) { f.put("other", "INBOX/new/k"); f.scan("INBOX") }},
	}
	for event, e := range events {
		for name, change := range changers {
			t.Run(event+"/"+name, func(t *testing.T) {
				f := newFixture(t)
				f.folder("Archive")
				f.put(mail, "INBOX/cur/k:2,S")
				r := record(f.scan(f.inbox).New[0])
				e.act(f)
				if slices.Contains(e.none, name) {
					f.ok(change(f, r))
					return
				}
				before := f.names(f.root)
				err := change(f, r)
				if name == "SetFlags" && event == "link instead" {
					// Nothing to be stale about: no flags can be set on a link.
					if err == nil {
						t.Fatal("the flags of a link were set")
					}
				} else {
					wantCause(t, err, state.CauseStale)
				}
				if diff := cmp.Diff(before, f.names(f.root)); diff != "" {
					t.Errorf("files were changed: %s", diff)
				}
			})
		}
	}
}

// A rename by somebody else that does not change the flags is no reason to give up.
func TestChangersFollowRenames(t *testing.T) {
	f := newFixture(t)
	f.put(mail, "INBOX/new/k")
	r := record(f.scan(f.inbox).New[0])
	f.rename("INBOX/new/k", "INBOX/cur/k:2,a")
	_, err := f.SetFlags(t.Context(), f.inbox, "k", 0, state.Seen)
	f.ok(err)
	f.rename("INBOX/cur/k:2,Sa", "INBOX/cur/k:2,Sab")
	r.Flags = state.Seen
	m, err := f.Move(t.Context(), f.inbox, r, f.folder("Archive"), state.Seen)
	f.ok(err)
	if diff := cmp.Diff([]string{".mailmoor", "cur/k:2,Sab"}, f.names(f.path("Archive"))); diff != "" || m.Key != "k" {
		t.Error(diff)
	}
}

// A name may have 255 bytes. When there is no room for what it has to say, the file gets
// another key, and whoever asked is told.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("k", 252)
	changes := map[string]func(f *fixture, r state.Record) (state.LocalMessage, error){
		"SetFlags": func(f *fixture, r state.Record) (state.LocalMessage, error) {
			return f.SetFlags(f.t.Context(), f.inbox, r.Key, 0, state.Seen)
		},
		"SetKeywords": func(f *fixture, r state.Record) (state.LocalMessage, error) {
			return f.SetKeywords(f.t.Context(), f.inbox, r.Key, "", state.NewKeywords("work"))
		},
		"Move": func(f *fixture, r state.Record) (state.LocalMessage, error) {
			m, err := f.Move(f.t.Context(), f.inbox, r, f.folder("Archive"), state.Seen)
			if err == nil {
				_, err = f.Remove(f.t.Context(), "Archive", record(m), "test")
			}
			return m, err
		},
		"Remove": func(f *fixture, r state.Record) (state.LocalMessage, error) {
			h, err := f.Remove(f.t.Context(), f.inbox, r, "test")
			if got, readErr := os.ReadFile(filepath.Join(f.hold, h.Path)); readErr != nil || string(got) != mail {
				f.t.Errorf("held: %q, %v", got, readErr)
			}
			return state.LocalMessage{Key: "held"}, err
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.put(mail, "INBOX/cur", long)
			d := f.scan(f.inbox)
			if len(d.New) != 1 || len(d.Problems) > 0 {
				t.Fatalf("new %v, problems %v", d.New, d.Problems)
			}
			m, err := change(f, record(d.New[0]))
			f.ok(err)
			if m.Key == state.Key(long) || m.Key.Check() != nil {
				t.Errorf("the key is %q", m.Key)
			}
			if name == "SetFlags" || name == "SetKeywords" {
				d := f.scan(f.inbox)
				if len(d.New) != 1 || d.New[0].Key != m.Key || d.New[0].Flags != m.Flags || d.New[0].Content != contentOf(mail) {
					t.Errorf("%+v, want %+v", d.New, m)
				}
			}
		})
	}
}

func TestRenameNeverReplaces(t *testing.T) {
	f := newFixture(t)
	m := f.deliver(f.inbox, mail, 0)
	name := string(m.Key) + ":2,S"
	taken := f.put("precious", f.inbox, "cur", name)
	_, err := f.SetFlags(t.Context(), f.inbox, m.Key, 0, state.Seen)
	wantCause(t, err, state.CauseStale)
	if got, err := os.ReadFile(taken); err != nil || string(got) != "precious" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMove(t *testing.T) {
	f := newFixture(t)
	dest := f.folder("Archive", "2024")
	f.put(mail, f.inbox, "cur", "k:2,Sb,x")
	m := f.scan(f.inbox).New[0]
	f.points = nil
	got, err := f.Move(t.Context(), f.inbox, record(m), dest, state.Answered)
	f.ok(err)
	m.Flags = state.Answered
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".mailmoor", "cur/k:2,Rb,x"}, f.names(f.path(dest))); diff != "" {
		t.Error(diff)
	}
	f.ok(f.Sync(t.Context()))
	f.ok(f.Sync(t.Context())) // there is nothing left to be done
	if diff := cmp.Diff([]string{"maildir: file renamed", "maildir: folder synced"}, f.points); diff != "" {
		t.Error(diff)
	}
}

func TestMovePicksFreshKeyWhereItsOwnIsTaken(t *testing.T) {
	f := newFixture(t)
	dest := f.folder("Archive")
	f.put(mail, f.inbox, "cur", "k:2,S")
	r := record(f.scan(f.inbox).New[0])
	f.put("another message\n", dest, "cur", "k:2,F")
	m, err := f.Move(t.Context(), f.inbox, r, dest, state.Seen)
	f.ok(err)
	if m.Key == "k" || m.Key.Check() != nil {
		t.Fatalf("key %q", m.Key)
	}
	if diff := cmp.Diff(r.Content, m.Content); diff != "" {
		t.Error(diff)
	}
	if got := f.scan(dest); got.Count != 2 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
}

// The destination is not listed for each move: our own moves are known. What others put
// there between two of them is seen all the same.
func TestMoveSeesWhatOthersPutIntoTheDestination(t *testing.T) {
	f := newFixture(t)
	dest := f.folder("Archive")
	for _, key := range []string{"a", "b", "c"} {
		f.put(mail, f.inbox, "cur", key+":2,S")
	}
	moved := f.scan(f.inbox).New
	for i, m := range moved {
		if i == 2 {
			time.Sleep(20 * time.Millisecond) // a tick of the file system's clock
			f.put("another message\n", dest, "cur", "c:2,F")
		}
		got, err := f.Move(t.Context(), f.inbox, record(m), dest, state.Seen)
		f.ok(err)
		if taken := i == 2; (got.Key != m.Key) != taken {
			t.Errorf("%s was moved as %s", m.Key, got.Key)
		}
	}
	if got := f.scan(dest); got.Count != 4 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
}

// BenchmarkMove moves 1,000 messages to and fro between folders of 10,000.
func BenchmarkMove(b *testing.B) {
	f := newFixture(b)
	folders := []string{f.inbox, f.folder("Archive")}
	for _, folder := range folders {
		for i := range 10_000 {
			f.put(mail, folder, "cur", fmt.Sprintf("1700000000.%d.%s:2,S", i, folder))
		}
	}
	moving := f.scan(f.inbox).New[:1000]
	for b.Loop() {
		for i, m := range moving {
			got, err := f.Move(b.Context(), folders[0], record(m), folders[1], state.Seen)
			f.ok(err)
			moving[i].Key = got.Key
		}
		f.ok(f.Sync(b.Context()))
		slices.Reverse(folders)
	}
}

// A plan is based on what the scan saw: flags that the base does not have yet are no
// surprise, flags that came after the scan are.
func TestRemoveExpectsTheFlagsOfTheScan(t *testing.T) {
	f := newFixture(t)
	f.put(mail, "INBOX/cur/k:2,")
	r := record(f.scan(f.inbox).New[0])
	f.rename("INBOX/cur/k:2,", "INBOX/cur/k:2,S")
	_, err := f.Remove(t.Context(), f.inbox, r, "test")
	wantCause(t, err, state.CauseStale)
	f.scan(f.inbox, r)
	held, err := f.Remove(t.Context(), f.inbox, r, "test")
	f.ok(err)
	if held.Flags != state.Seen {
		t.Errorf("held with flags %q", held.Flags)
	}
}

// An edit during an upload must not become a whole message on the server.
func TestUploadNoticesEdits(t *testing.T) {
	body := strings.Repeat("0123456789\n", 20_000)
	edits := map[string]func(path string) error{
		"longer": func(path string) error {
			return os.WriteFile(path, []byte(body+"more\n"), 0o600)
		},
		"shorter": func(path string) error { return os.Truncate(path, 100_000) },
		"same size": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(body, "9\n0", "9\n!", 19_990)), 0o600)
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			path := f.put(body, "INBOX/cur/k:2,S")
			up, err := f.Open(t.Context(), f.inbox, f.scan(f.inbox).New[0])
			f.ok(err)
			in, err := up.Open()
			f.ok(err)
			defer in.Close()
			_, err = io.ReadFull(in, make([]byte, 1000))
			f.ok(err)
			f.ok(edit(path))
			rest, err := io.ReadAll(in)
			wantCause(t, err, state.CauseStale)
			if int64(1000+len(rest)) >= up.Size {
				t.Errorf("all %d bytes were handed out", up.Size)
			}
		})
	}
}

func TestErrorsAreNotAbsence(t *testing.T) {
	f := newFixture(t)
	r := record(f.deliver(f.inbox, mail, 0))
	f.ok(os.RemoveAll(f.path(f.inbox, "cur")))
	f.put("a file where a directory belongs", f.inbox, "cur")
	if delta, err := f.Scan(t.Context(), f.inbox, []state.Record{r}, state.ScanOptions{}); err == nil {
		t.Errorf("half a folder was scanned: %+v", delta)
	}
}

// Running out of file descriptors must not look like missing mail.
func TestNoFileDescriptorsLeft(t *testing.T) {
	f := newFixture(t)
	r := record(f.deliver(f.inbox, mail, 0))
	open, err := os.ReadDir("/dev/fd")
	f.ok(err)
	var old unix.Rlimit
	f.ok(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	defer func() { f.ok(unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) }()
	for spare := range 4 {
		low := unix.Rlimit{Cur: uint64(len(open) - 1 + spare), Max: old.Max}
		f.ok(unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
		delta, err := f.Scan(t.Context(), f.inbox, []state.Record{r}, state.ScanOptions{Stat: true})
		whole := err == nil && delta.Count == 1 && len(delta.Missing)+len(delta.Problems) == 0
		if !whole && (err == nil || state.ScopeOf(err) != state.ScopeAccount) || whole && spare == 0 {
			t.Errorf("%d descriptors to spare: %v, %+v", spare, err, delta)
		}
	}
}

// A file that is flagged between two removals, with no scan between, is not
// removed: the look at its neighbour is no plan.
func TestRemoveWithoutScanExpectsTheFlagsOfTheRecord(t *testing.T) {
	f := newFixture(t)
	a, b := record(f.deliver(f.inbox, mail, state.Seen)), record(f.deliver(f.inbox, mail, state.Seen))
	f.rename("INBOX/cur/"+string(b.Key)+":2,S", "INBOX/cur/"+string(b.Key)+":2,FS")
	_, err := f.Remove(t.Context(), f.inbox, a, "test")
	f.ok(err)
	_, err = f.Remove(t.Context(), f.inbox, b, "test")
	wantCause(t, err, state.CauseStale)
}
