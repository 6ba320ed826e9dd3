package maildir_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/state"
)

// plus makes the tree one with Maildir++ folders.
func plus(o *maildir.Options) { o.Layout = maildir.LayoutPlus }

func TestPlusTree(t *testing.T) {
	f := newFixture(t, plus)
	f.folder("Archive", "2024")
	f.folder("v1.2")
	f.deliver(".", mail, state.Seen)
	f.deliver(".Archive.2024", mail, 0)
	var got []string
	for _, sub := range []string{"", ".Archive.2024", ".v1%2E2"} {
		entries, err := os.ReadDir(f.path(sub))
		f.ok(err)
		for _, e := range entries {
			got = append(got, sub+"/"+e.Name())
		}
	}
	want := []string{
		"/.Archive.2024", "/.mailmoor", "/.v1%2E2", "/cur", "/new", "/tmp",
		".Archive.2024/.mailmoor", ".Archive.2024/cur", ".Archive.2024/maildirfolder", ".Archive.2024/new", ".Archive.2024/tmp",
		".v1%2E2/.mailmoor", ".v1%2E2/cur", ".v1%2E2/maildirfolder", ".v1%2E2/new", ".v1%2E2/tmp",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	folders, leftOut, err := f.Folders(t.Context())
	problems := problemsOf(leftOut)
	f.ok(err)
	names := map[string]string{}
	for _, folder := range folders {
		names[folder.Path] = strings.Join(folder.Name, "|")
		if folder.Marker == "" {
			t.Errorf("folder %q has no marker", folder.Path)
		}
	}
	if diff := cmp.Diff(map[string]string{".": "INBOX", ".Archive.2024": "Archive|2024", ".v1%2E2": "v1.2"}, names); diff != "" || len(problems) > 0 {
		t.Errorf("%s %+v", diff, problems)
	}
	if got := len(f.scan(".").New) + len(f.scan(".Archive.2024").New); got != 2 {
		t.Errorf("%d messages are found, want 2", got)
	}
}

// TestPlusLeavesOut: what is no folder of such a tree is said, and what is nobody's
// mail is not even looked at.
func TestPlusLeavesOut(t *testing.T) {
	tests := map[string]struct {
		make       func(*fixture)
		path, text string
	}{
		"a folder without a dot":   {func(f *fixture) { f.ok(os.MkdirAll(f.path("Sent/cur"), 0o700)) }, "Sent", "does not begin with a dot"},
		"a folder inside a folder": {func(f *fixture) { f.ok(os.MkdirAll(f.path(".Archive/2024/cur"), 0o700)) }, ".Archive/2024", "inside folders"},
		"a hidden one inside":      {func(f *fixture) { f.ok(os.MkdirAll(f.path(".Archive/.2024/cur"), 0o700)) }, ".Archive/.2024", "inside folders"},
		"half a folder":            {func(f *fixture) { f.ok(os.Remove(f.path(".Archive/new"))) }, ".Archive", "only part"},
		"half an inbox":            {func(f *fixture) { f.ok(os.Remove(f.path("new"))) }, ".", "only part"},
		"a second inbox":           {func(f *fixture) { f.mkfolder(".INBOX") }, ".INBOX", "stands for no mailbox"},
		"two dots":                 {func(f *fixture) { f.mkfolder(".a..b") }, ".a..b", "stands for no mailbox"},
		"another account's root": {func(f *fixture) {
			f.put("kind = \"root\"\nid = \"x\"\naccount = \"x\"\ngeneration = 1\n", ".Archive", ".mailmoor")
		}, ".Archive", "root of account x"},
		"symbolic link":             {func(f *fixture) { f.ok(os.Symlink("/", f.path(".link"))) }, ".link", "symbolic link"},
		"a copy of a folder":        {func(f *fixture) { f.ok(os.CopyFS(f.path(".Copy"), os.DirFS(f.path(".Archive")))) }, ".Copy", "one is a copy"},
		"other hidden directories":  {func(f *fixture) { f.ok(os.MkdirAll(f.path(".a..b/xapian"), 0o700)) }, "", ""},
		"other directories and all": {func(f *fixture) { f.ok(os.MkdirAll(f.path("bin/tool"), 0o700)) }, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, plus)
			f.folder("Archive")
			test.make(f)
			folders, leftOut, err := f.Folders(t.Context())
			problems := problemsOf(leftOut)
			f.ok(err)
			if test.text == "" {
				if len(problems) > 0 || len(folders) != 2 {
					t.Fatalf("%+v %+v", folders, problems)
				}
				return
			}
			if len(problems) != 1 || problems[0].Subject != test.path || !strings.Contains(string(problems[0].Text), test.text) || problems[0].Hint == "" {
				t.Fatalf("%+v", problems)
			}
			for _, folder := range folders {
				if folder.Path == test.path && test.text != "one is a copy" {
					t.Errorf("%q is listed", folder.Path)
				}
			}
		})
	}
}

// mkfolder makes a folder as another program would.
func (f *fixture) mkfolder(path string) {
	f.t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		f.ok(os.MkdirAll(f.path(path, sub), 0o700))
	}
}

// TestLayoutIsFixed: a tree is opened with the layout that it has, and with no other,
// until its root is accepted anew.
func TestLayoutIsFixed(t *testing.T) {
	for _, layouts := range [][2]maildir.Layout{{maildir.LayoutFS, maildir.LayoutPlus}, {maildir.LayoutPlus, maildir.LayoutFS}, {maildir.LayoutPlus, ""}} {
		f := newFixture(t, func(o *maildir.Options) { o.Layout = layouts[0] })
		f.ok(f.Mark(2)) // which keeps it
		f.ok(f.Close())
		before := f.names(f.root)
		o := maildir.Options{Root: f.root, AccountID: account, Layout: layouts[1], HoldDir: f.hold}
		_, err := maildir.Open(o)
		wantCause(t, err, state.CauseConfig)
		if text := err.Error(); state.ScopeOf(err) != state.ScopeAccount || !strings.Contains(text, "layout = \""+string(layouts[0])+"\"") {
			t.Errorf("the error is %v", err)
		}
		o.Peek = true
		_, err = maildir.Open(o)
		wantCause(t, err, state.CauseConfig)
		o.Peek = false
		if diff := cmp.Diff(before, f.names(f.root)); diff != "" {
			t.Errorf("the tree was changed: %s", diff)
		}
		f.ok(maildir.AdoptRoot(f.root, account, layouts[1], func() error { return nil }))
		tree, err := maildir.Open(o)
		f.ok(err)
		f.ok(tree.Close())
	}
	f := newFixture(t)
	wantCause(t, maildir.CreateRoot(f.path("x"), account, "flat"), state.CauseConfig)
	wantCause(t, maildir.AdoptRoot(f.root, account, "flat", nil), state.CauseConfig)
	_, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, Layout: "flat", HoldDir: f.hold})
	wantCause(t, err, state.CauseConfig)
}
