package maildir_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
)

var _ engine.LocalTree = (*maildir.Tree)(nil)

const account = "0123456789abcdef0123456789abcdef"

// fixture is a new tree with one folder, INBOX.
type fixture struct {
	*maildir.Tree
	t      testing.TB
	root   string
	hold   string
	inbox  string
	points []string // that the hook was called with
}

func newFixture(t testing.TB, change ...func(*maildir.Options)) *fixture {
	t.Helper()
	base := t.TempDir()
	f := &fixture{t: t, root: filepath.Join(base, "mail"), hold: filepath.Join(base, "state", "hold")}
	o := maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold, Hook: func(p string) { f.points = append(f.points, p) }}
	for _, change := range change {
		change(&o)
	}
	f.root, f.hold = o.Root, o.HoldDir
	f.ok(maildir.CreateRoot(f.root, account, o.Layout))
	tree, err := maildir.Open(o)
	f.ok(err)
	f.Tree = tree
	t.Cleanup(func() { tree.Close() })
	f.inbox = f.folder("INBOX")
	f.points = nil
	return f
}

// later makes every stamp old enough to prove something.
func later(o *maildir.Options) {
	o.Now = func() time.Time { return time.Now().Add(time.Minute) }
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) folder(levels ...string) string {
	f.t.Helper()
	folder, err := f.CreateFolder(f.t.Context(), levels, 0)
	f.ok(err)
	return folder.Path
}

// path returns the absolute path of something below a folder.
func (f *fixture) path(folder string, elem ...string) string {
	return filepath.Join(append([]string{f.root, folder}, elem...)...)
}

func incoming(body string, flags state.Flags) state.Incoming {
	return state.Incoming{UID: 7, Flags: flags, Date: 1700000000, Size: int64(len(body)), Body: strings.NewReader(body)}
}

const mail = "From: a@example.org\r\nSubject: hello\r\n\r\nbody\r\n"

// deliver puts one message into the folder.
func (f *fixture) deliver(folder, body string, flags state.Flags) state.LocalMessage {
	f.t.Helper()
	d, err := f.Deliver(f.t.Context(), folder)
	f.ok(err)
	m, err := d.Add(f.NewKey(), incoming(body, flags))
	f.ok(err)
	f.ok(d.Commit())
	return m
}

// put writes a file as another program would.
func (f *fixture) put(body string, elem ...string) string {
	f.t.Helper()
	path := f.path("", elem...)
	f.ok(os.WriteFile(path, []byte(body), 0o600))
	return path
}

func (f *fixture) rename(from, to string) {
	f.t.Helper()
	f.ok(os.Rename(f.path("", from), f.path("", to)))
}

func (f *fixture) scan(folder string, base ...state.Record) state.LocalDelta {
	f.t.Helper()
	delta, err := f.Scan(f.t.Context(), folder, base, state.ScanOptions{})
	f.ok(err)
	f.ok(delta.Check())
	return delta
}

func (f *fixture) statScan(folder string, base ...state.Record) state.LocalDelta {
	f.t.Helper()
	delta, err := f.Scan(f.t.Context(), folder, base, state.ScanOptions{Stat: true})
	f.ok(err)
	f.ok(delta.Check())
	return delta
}

// names lists the files below a directory, relative to it.
func (f *fixture) names(dir string) []string {
	f.t.Helper()
	var names []string
	f.ok(filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	}))
	slices.Sort(names)
	return names
}

func problemsOf(leftOut []state.LeftOut) []state.Problem {
	var problems []state.Problem
	for _, l := range leftOut {
		problems = append(problems, l.Problem)
	}
	return problems
}

func record(m state.LocalMessage) state.Record {
	return state.Record{
		Mailbox: "INBOX", UID: 7, Key: m.Key, State: state.Paired, Flags: m.Flags, Stat: m.Stat, Content: m.Content,
	}
}

// contentOf is the independent way to the content of a message.
func contentOf(body string) state.Content {
	d := state.NewDigester()
	io.WriteString(d, body)
	return d.Sum()
}

// canonical is the independent way to the form that is uploaded.
func canonical(body string) string {
	var b strings.Builder
	for i := range len(body) {
		if body[i] == '\n' && (i == 0 || body[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(body[i])
	}
	return b.String()
}

func wantCause(t *testing.T, err error, cause state.Cause) {
	t.Helper()
	if err == nil || state.CauseOf(err) != cause {
		t.Fatalf("error %v has cause %d, want %d", err, state.CauseOf(err), cause)
	}
}

func sortByKey(messages []state.LocalMessage) []state.LocalMessage {
	slices.SortFunc(messages, func(a, b state.LocalMessage) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return messages
}
