package maildir_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"mailmoor/maildir"
	"mailmoor/state"
)

func TestScanQuietFolder(t *testing.T) {
	f := newFixture(t, later)
	m := f.deliver(f.inbox, mail, state.Seen)
	got := f.statScan(f.inbox, record(m))
	folders, _, err := f.Folders(t.Context())
	f.ok(err)
	if !folders[0].Settled || got.Stamp != folders[0].Stamp {
		t.Errorf("the scan has stamp %+v, the list %+v, settled %v", got.Stamp, folders[0].Stamp, folders[0].Settled)
	}
	want := state.LocalDelta{Folder: f.inbox, Stamp: got.Stamp, Statted: true, Count: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStampOfYoungFolderProvesNothing(t *testing.T) {
	f := newFixture(t)
	folders, _, err := f.Folders(t.Context())
	f.ok(err)
	if folders[0].Settled || f.scan(f.inbox).Stamp != (state.FolderStamp{}) {
		t.Error("a folder made just now counts as settled")
	}
	if folders[0].Stamp == (state.FolderStamp{}) {
		t.Error("the list has no stamp")
	}
}

func TestScanSeesWhatReadersDo(t *testing.T) {
	const seen, flagged = state.Seen, state.Flagged
	tests := map[string]struct {
		act     func(f *fixture, file string)
		changed []state.Flags
		edited  bool
		missing int
		added   int
	}{
		"read":          {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:2,S") }, changed: []state.Flags{seen}},
		"old":           {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:2,") }},
		"old, no info":  {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k") }},
		"keyword":       {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:2,a") }},
		"keyword, flag": {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:2,Fa,x") }, changed: []state.Flags{flagged}},
		"removed":       {act: func(f *fixture, file string) { f.ok(os.Remove(f.path(file))) }, missing: 1},
		"renamed key":   {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/other:2,S") }, missing: 1, added: 1},
		// mu 1.12 appends info to info (djcb/mu#2268): the message is still there.
		"info after info": {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:2,:2,S") }, changed: []state.Flags{seen}},
		"foreign version": {act: func(f *fixture, file string) { f.rename(file, "INBOX/cur/k:1,S") }, missing: 1, added: 1},
		"two names": {act: func(f *fixture, file string) {
			f.ok(os.Link(f.path(file), f.path("INBOX/cur/k:2,S")))
		}, changed: []state.Flags{seen}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.put(mail, "INBOX/new/k")
			r := record(f.scan(f.inbox).New[0])
			test.act(f, "INBOX/new/k")
			got := f.scan(f.inbox, r)
			var changed []state.Flags
			for _, c := range got.Changed {
				changed = append(changed, c.Now.Flags)
				if c.Edited || c.Now.Content != r.Content {
					t.Errorf("edited %v, content %+v", c.Edited, c.Now.Content)
				}
			}
			if diff := cmp.Diff(test.changed, changed); diff != "" {
				t.Error(diff)
			}
			if len(got.Missing) != test.missing || len(got.New) != test.added || len(got.Problems) != 0 {
				t.Errorf("missing %d, new %d, problems %v", len(got.Missing), len(got.New), got.Problems)
			}
		})
	}
}

// A delivery that stopped for a moment goes on: the next scan must look at the file
// again, though nothing but the file itself shows it.
func TestScanLooksAgainAtYoungFiles(t *testing.T) {
	now := time.Now().Add(time.Minute)
	f := newFixture(t, func(o *maildir.Options) { o.Now = func() time.Time { return now } })
	path := f.put("Subject: half\n\nfirst", "INBOX/new/k")
	f.ok(os.Chtimes(path, time.Time{}, now.Add(-time.Second)))
	half := f.scan(f.inbox)
	if half.Stamp != (state.FolderStamp{}) {
		t.Error("a folder with a file that was written a second ago counts as settled")
	}
	f.put("Subject: half\n\nfirst second", "INBOX/new/k")
	f.ok(os.Chtimes(path, time.Time{}, now.Add(time.Second)))
	now = now.Add(time.Minute)
	whole := f.scan(f.inbox, record(half.New[0]))
	if len(whole.Changed) != 1 || !whole.Changed[0].Edited || whole.Stamp == (state.FolderStamp{}) {
		t.Errorf("the whole file is %+v", whole)
	}
}

func TestStatScanFindsEdits(t *testing.T) {
	lf := strings.ReplaceAll(mail, "\r\n", "\n")
	tests := map[string]struct {
		body    string
		changed int
		edited  bool
		problem string
	}{
		"edited":               {body: lf + "more\n", changed: 1, edited: true},
		"edited, same size":    {body: strings.Replace(lf, "body", "bodY", 1), changed: 1, edited: true},
		"only the date":        {body: lf, changed: 1},
		"other line ends":      {body: mail, changed: 1},
		"status field added":   {body: "Status: RO\n" + lf, changed: 1},
		"shorter, other text":  {body: "x\n", changed: 1, edited: true},
		"empty after a crash":  {body: "", problem: "empty"},
		"shorter, same digest": {body: strings.Replace(lf, "X-Status: A\n", "", 1), changed: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, later)
			original := lf
			if strings.HasSuffix(name, "same digest") {
				original = "X-Status: A\n" + lf
			}
			path := f.put(original, "INBOX/cur/k:2,S")
			f.ok(os.Chtimes(path, time.Time{}, time.Unix(999, 0)))
			r := record(f.scan(f.inbox).New[0])
			f.put(test.body, "INBOX/cur/k:2,S")
			f.ok(os.Chtimes(path, time.Time{}, time.Unix(1000, 0)))
			if got := f.scan(f.inbox, r); len(got.Changed) != 0 || got.Statted {
				t.Fatalf("a scan of the names looked at the file: %+v", got)
			}
			got := f.statScan(f.inbox, r)
			if len(got.Changed) != test.changed || len(got.New)+len(got.Missing) != 0 || got.Count != 1 {
				t.Fatalf("%+v", got)
			}
			for _, c := range got.Changed {
				if c.Edited != test.edited || c.Now.Content.Digest != contentOf(test.body).Digest || c.Now.Date != 1000 {
					t.Errorf("%+v", c)
				}
			}
			wantProblem(t, got, "INBOX/cur/k:2,S", test.problem)
		})
	}
}

// wantProblem checks for one problem about the subject, or for none where text is
// empty.
func wantProblem(t *testing.T, d state.LocalDelta, subject, text string) {
	t.Helper()
	if text == "" {
		if len(d.Problems) != 0 {
			t.Errorf("problems %+v", d.Problems)
		}
		return
	}
	if len(d.Problems) != 1 || d.Problems[0].Subject != subject || !strings.Contains(string(d.Problems[0].Text), text) {
		t.Errorf("problems %+v, want one of %s about %q", d.Problems, subject, text)
	}
	if d.Stamp != (state.FolderStamp{}) {
		t.Error("the stamp would hide the problem from the next run")
	}
}

func TestScanReportsWhatIsNoMessage(t *testing.T) {
	tests := map[string]struct {
		make func(f *fixture, path string)
		text string
	}{
		"symbolic link": {func(f *fixture, path string) { f.ok(os.Symlink("/etc/passwd", path)) }, "symbolic"},
		"FIFO":          {func(f *fixture, path string) { f.ok(unix.Mkfifo(path, 0o600)) }, "regular"},
		"directory":     {func(f *fixture, path string) { f.ok(os.Mkdir(path, 0o700)) }, "regular"},
		"empty file":    {func(f *fixture, path string) { f.ok(os.WriteFile(path, nil, 0o600)) }, "empty"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, later)
			good := f.deliver(f.inbox, mail, 0)
			test.make(f, f.path(f.inbox, "cur", "odd:2,S"))
			got := f.scan(f.inbox)
			if len(got.New) != 1 || got.New[0].Key != good.Key {
				t.Errorf("new: %+v", got.New)
			}
			wantProblem(t, got, "INBOX/cur/odd:2,S", test.text)
		})
	}
}

func TestScanIgnoresControlFiles(t *testing.T) {
	f := newFixture(t, later)
	for _, name := range []string{".nfs00000000013f21", ".DS_Store", "dovecot-keywords", "dovecot.index.log"} {
		f.put("x", f.inbox, "cur", name)
	}
	if got := f.scan(f.inbox); got.Count != 0 || len(got.New)+len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestScanReportsTwoFilesWithOneKey(t *testing.T) {
	f := newFixture(t, later)
	f.put(mail, "INBOX/cur/k:2,S")
	r := record(f.scan(f.inbox).New[0])
	f.put("another message\n", "INBOX/new/k")
	got := f.scan(f.inbox, r)
	if len(got.New)+len(got.Changed)+len(got.Missing) != 0 {
		t.Errorf("%+v", got)
	}
	if len(got.Problems) != 1 || !strings.Contains(string(got.Problems[0].Text), "same name") {
		t.Errorf("%+v", got.Problems)
	}
	_, err := f.SetFlags(t.Context(), f.inbox, "k", state.Seen, 0)
	wantCause(t, err, state.CauseStale)
	wantCause(t, errOf(f.Remove(t.Context(), f.inbox, r, "test")), state.CauseStale)
}

func errOf[T any](_ T, err error) error { return err }

func TestScanRefusesToConcludeFromUnmarkedFolder(t *testing.T) {
	f := newFixture(t)
	r := record(f.deliver(f.inbox, mail, 0))
	f.ok(os.Rename(f.path(f.inbox), f.path("elsewhere")))
	for _, dir := range []string{"", "new", "cur", "tmp"} {
		f.ok(os.Mkdir(f.path(f.inbox, dir), 0o700))
	}
	_, err := f.Scan(t.Context(), f.inbox, []state.Record{r}, state.ScanOptions{})
	wantCause(t, err, state.CauseGone)
	if got := f.scan(f.inbox); got.Count != 0 { // with no base there is nothing to lose
		t.Errorf("%+v", got)
	}
	_, err = f.Scan(t.Context(), "nowhere", nil, state.ScanOptions{})
	wantCause(t, err, state.CauseGone)
}

func TestFind(t *testing.T) {
	f := newFixture(t)
	m := f.deliver(f.folder("Archive", "2024"), mail, state.Seen)
	f.rename("Archive/2024/cur/"+string(m.Key)+":2,S", "INBOX/new/"+string(m.Key))
	other := f.deliver("Archive/2024", mail, state.Flagged)
	found, err := f.Find(t.Context(), []state.Key{other.Key, f.NewKey(), m.Key})
	f.ok(err)
	m.Flags = 0
	if diff := cmp.Diff([]state.FoundFile{{Folder: "Archive/2024", File: other}, {Folder: f.inbox, File: m}}, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if found, err = f.Find(t.Context(), []state.Key{f.NewKey()}); len(found) > 0 || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
}
