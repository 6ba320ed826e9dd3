package maildir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/state"
)

const otherAccount = "ffffffffffffffffffffffffffffffff"

func TestReadRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "a", "mail")
	want := maildir.RootInfo{Path: root, Empty: true}
	look := func(when string) {
		t.Helper()
		got, err := maildir.ReadRoot(root)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", when, err, diff)
		}
	}
	look("nothing there")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	want.Exists = true
	look("an empty directory, perhaps a mount point")
	if err := maildir.CreateRoot(root, account, maildir.LayoutFS); err != nil {
		t.Fatal(err)
	}
	want.MarkerID = account
	look("created")
	if err := os.MkdirAll(filepath.Join(root, "x", "y", "cur"), 0o700); err != nil {
		t.Fatal(err)
	}
	want.Empty = false
	look("with a mail folder")
	if err := os.WriteFile(filepath.Join(root, ".mailmoor"), []byte("kind = \"root\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := maildir.ReadRoot(root)
	if err != nil || got.MarkerID != "" || !strings.Contains(got.Foreign, "cannot be understood") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCreateRootRefuses(t *testing.T) {
	base := t.TempDir()
	outer := filepath.Join(base, "outer")
	inner := filepath.Join(outer, "a", "inner")
	for name, test := range map[string]struct{ first, second string }{
		"a root again":        {outer, outer},
		"a root inside one":   {outer, inner},
		"a root around one":   {inner, outer},
		"through a symlink":   {outer, filepath.Join(base, "link", "a", "inner")},
		"a root close around": {inner, filepath.Dir(inner)},
	} {
		t.Run(name, func(t *testing.T) {
			defer os.RemoveAll(outer)
			link := filepath.Join(base, "link")
			os.Remove(link)
			if err := os.Symlink(outer, link); err != nil {
				t.Fatal(err)
			}
			if err := maildir.CreateRoot(test.first, account, maildir.LayoutFS); err != nil {
				t.Fatal(err)
			}
			err := maildir.CreateRoot(test.second, otherAccount, maildir.LayoutFS)
			wantCause(t, err, state.CauseConfig)
			if test.first != test.second && (!strings.Contains(err.Error(), "outer\"") && !strings.Contains(err.Error(), "outer/a\"") || !strings.Contains(err.Error(), "inner\"")) {
				t.Errorf("the error does not name both roots: %v", err)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		spoil func(f *fixture)
		cause state.Cause
	}{
		"no directory":  {func(f *fixture) { f.ok(os.RemoveAll(f.root)) }, state.CauseGone},
		"no marker":     {func(f *fixture) { f.ok(os.Remove(f.path("", ".mailmoor"))) }, state.CauseGone},
		"broken marker": {func(f *fixture) { f.put("what?", ".mailmoor") }, state.CauseGone},
		"linked marker": {func(f *fixture) {
			f.rename(".mailmoor", "moved")
			f.ok(os.Symlink("moved", f.path("", ".mailmoor")))
		}, state.CauseGone},
		"other account": {func(f *fixture) {
			f.ok(os.Remove(f.path("", ".mailmoor")))
			f.ok(maildir.CreateRoot(f.root, otherAccount, maildir.LayoutFS))
		}, state.CauseConfig},
		"root of a folder": {func(f *fixture) { f.rename("INBOX/.mailmoor", ".mailmoor") }, state.CauseConfig},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.ok(f.Close())
			test.spoil(f)
			before := treeOf(t, filepath.Dir(f.root))
			_, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold})
			wantCause(t, err, test.cause)
			if state.ScopeOf(err) != state.ScopeAccount {
				t.Errorf("scope %v", state.ScopeOf(err))
			}
			if diff := cmp.Diff(before, treeOf(t, filepath.Dir(f.root))); diff != "" {
				t.Errorf("Open created something: %s", diff)
			}
		})
	}
}

// treeOf lists everything below a directory.
func treeOf(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRootIsLocked(t *testing.T) {
	f := newFixture(t)
	o := maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold}
	_, err := maildir.Open(o)
	wantCause(t, err, state.CauseLocked)
	t.Log(err) // who holds it is not known on every system
	f.ok(f.Close())
	tree, err := maildir.Open(o)
	f.ok(err)
	f.ok(tree.Close())
}

func TestRootMayBeSymlink(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Close())
	link := f.root + "-link"
	f.ok(os.Symlink(f.root, link))
	tree, err := maildir.Open(maildir.Options{Root: link, AccountID: account, HoldDir: f.hold})
	f.ok(err)
	defer tree.Close()
	folders, _, err := tree.Folders(t.Context())
	if err != nil || len(folders) != 1 {
		t.Errorf("%v, %v", folders, err)
	}
}

// A disk that disappears while we work must look like nothing at all, not like
// an empty tree.
func TestExchangedRoot(t *testing.T) {
	f := newFixture(t)
	f.ok(os.Rename(f.root, f.root+"-unmounted"))
	_, _, err := f.Folders(t.Context())
	wantCause(t, err, state.CauseGone)
	f.ok(os.Mkdir(f.root, 0o700))
	_, _, err = f.Folders(t.Context())
	wantCause(t, err, state.CauseGone)
	_, err = f.CreateFolder(t.Context(), []string{"x"}, 0)
	wantCause(t, err, state.CauseGone)
	_, err = f.Find(t.Context(), []state.Key{f.NewKey()})
	wantCause(t, err, state.CauseGone)
	if names := f.names(f.root); len(names) != 0 {
		t.Errorf("created %q", names)
	}
}

func TestFolders(t *testing.T) {
	f := newFixture(t)
	f.folder("Archive", "a/b")
	f.folder(strings.Repeat("long ", 60))
	f.folder("INBOX", "sub")
	again := f.folder("INBOX")
	folders, leftOut, err := f.Folders(t.Context())
	problems := problemsOf(leftOut)
	f.ok(err)
	var names [][]string
	markers := map[string]bool{}
	for _, folder := range folders {
		names = append(names, folder.Name)
		markers[folder.Marker] = true
		if created, err := f.CreateFolder(t.Context(), folder.Name, folder.Apart); err != nil || created.Marker != folder.Marker {
			t.Errorf("%q exists: %+v, %v", folder.Path, created, err)
		}
	}
	want := [][]string{{"Archive", "a/b"}, {"INBOX"}, {"INBOX", "sub"}, {strings.Repeat("long ", 60)}}
	if diff := cmp.Diff(want, names); diff != "" || len(markers) != 4 || again != "INBOX" {
		t.Errorf("%d markers, %s", len(markers), diff)
	}
	if !slices.IsSortedFunc(folders, func(a, b state.LocalFolder) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("not ordered by path")
	}
	if len(problems) != 0 {
		t.Errorf("%+v", problems)
	}
}

func TestFolderOfAnotherProgramGetsItsMarkerOnlyWhenCreated(t *testing.T) {
	f := newFixture(t)
	for _, sub := range []string{"cur", "new", "tmp"} {
		f.ok(os.MkdirAll(f.path("Lists", sub), 0o755))
	}
	folders, _, err := f.Folders(t.Context())
	f.ok(err)
	if len(folders) != 2 || folders[1].Path != "Lists" || folders[1].Marker != "" {
		t.Fatalf("%+v", folders)
	}
	created, err := f.CreateFolder(t.Context(), []string{"Lists"}, 0)
	if err != nil || created.Marker == "" {
		t.Errorf("%+v, %v", created, err)
	}
}

func TestFoldersLeavesOut(t *testing.T) {
	tests := map[string]struct {
		make func(f *fixture)
		path string
		text string
	}{
		"another account's root": {func(f *fixture) {
			f.rename("Archive/.mailmoor", "aside")
			f.put("kind = \"root\"\nid = \"x\"\naccount = \"x\"\ngeneration = 1\n", "Archive", ".mailmoor")
		}, "Archive", "root of account x"},
		"another account's folder": {func(f *fixture) {
			f.put("kind = \"folder\"\nid = \"y\"\naccount = \"x\"\ngeneration = 1\n", "Archive", ".mailmoor")
		}, "Archive", "folder of account x"},
		"broken marker":      {func(f *fixture) { f.put("generation = 1", "Archive", ".mailmoor") }, "Archive", "cannot be understood"},
		"half a folder":      {func(f *fixture) { f.ok(os.Remove(f.path("Archive/2024/new"))) }, "Archive/2024", "only part"},
		"symbolic link":      {func(f *fixture) { f.ok(os.Symlink("/", f.path("link"))) }, "link", "symbolic link"},
		"Maildir++":          {func(f *fixture) { f.mkfolder(".Sent"); f.put("", ".Sent", "maildirfolder") }, ".Sent", "Maildir++"},
		"Maildir++ below":    {func(f *fixture) { f.mkfolder("INBOX/.Sent") }, "INBOX/.Sent", "Maildir++"},
		"mail in the root":   {func(f *fixture) { f.ok(os.Mkdir(f.path("cur"), 0o700)) }, "", "root itself"},
		"a copy of a folder": {func(f *fixture) { f.ok(os.CopyFS(f.path("Copy"), os.DirFS(f.path("INBOX")))) }, "INBOX", "one is a copy"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.folder("Archive")
			f.folder("Archive", "2024")
			test.make(f)
			folders, leftOut, err := f.Folders(t.Context())
			problems := problemsOf(leftOut)
			f.ok(err)
			if len(problems) != 1 || problems[0].Subject != test.path || !strings.Contains(string(problems[0].Text), test.text) || problems[0].Hint == "" {
				t.Fatalf("%+v", problems)
			}
			for _, folder := range folders {
				if within(folder.Path, test.path) && test.text != "one is a copy" {
					t.Errorf("%q is listed", folder.Path)
				}
			}
		})
	}
}

// TestFoldersOfAnyName: a folder has a mailbox, whatever those who made it named it. What
// mailmoor would have written otherwise was left out, and each run failed.
func TestFoldersOfAnyName(t *testing.T) {
	f := newFixture(t)
	long := strings.Repeat("x", 255)
	want := map[string][]string{
		"INBOX": {"INBOX"}, "New": {"New"}, "Work/NEW": {"Work", "NEW"}, "Work/Cur/tmP": {"Work", "Cur", "tmP"}, "%4Eew2": {"New2"},
		".hidden": {".hidden"}, ".hidden/below": {".hidden", "below"}, "Work/.x": {"Work", ".x"}, "a\tb": {"a\tb"}, long: {long},
		"100%": {"100%"}, "50%+": {"50%+"}, "etc.": {"etc."}, " a ": {" a "}, "Mail/INBOX": {"Mail", "INBOX"},
	}
	for path := range want {
		f.mkfolder(path)
	}
	// Hidden directories that are no folder may hold anything, such as what was deleted.
	f.mkfolder(".Trash-1000/files/Old")
	folders, leftOut, err := f.Folders(t.Context())
	problems := problemsOf(leftOut)
	f.ok(err)
	got := map[string][]string{}
	for _, folder := range folders {
		got[folder.Path] = folder.Name
		marked, err := f.MarkFolder(t.Context(), folder.Path)
		if err != nil || marked.Path != folder.Path || marked.Marker == "" || !slices.Equal(marked.Name, folder.Name) {
			t.Errorf("%q is marked as %+v, %v", folder.Path, marked, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%s %+v", diff, problems)
	}
}

// TestFolderBelowAnyName: what is new below a directory lies there, however the
// directory is written.
func TestFolderBelowAnyName(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		there string
		name  []string
		apart state.LevelSet
		path  string
	}{
		{"Inbox", []string{"INBOX", "a"}, 0, "Inbox/a"},
		{".hidden", []string{".hidden", "a"}, 0, ".hidden/a"},
		{"%4EEW", []string{"NEW", "a"}, 0, "%4EEW/a"},
		{"%4EEW", []string{"NEW", "a"}, 1, "%4EEW/a"},
		{"%57ork", []string{"Work", "a"}, 0, "%57ork/a"},
		{"Top/100%", []string{"Top", "100%", "a"}, 0, "Top/100%/a"},
		{"Top/a%62", []string{"Top", "ab"}, 0, "Top/a%62"},
		{long + "/New", []string{long, "New", "a"}, 0, long + "/New/a"},
		{long[:190] + "%+/" + long[190:] + "/etc.", []string{long, "etc.", "a"}, 0, long[:190] + "%+/" + long[190:] + "/etc./a"},
		{"Other", []string{"other", "a"}, 0, "other/a"},
	} {
		f := newFixture(t)
		f.ok(os.RemoveAll(f.path("INBOX")))
		f.ok(os.MkdirAll(f.path(test.there), 0o700))
		folder, err := f.CreateFolder(t.Context(), test.name, test.apart)
		if err != nil || folder.Path != test.path || !slices.Equal(folder.Name, test.name) {
			t.Errorf("beside %q, %q lies at %q as %q, %v, want %q", test.there, test.name, folder.Path, folder.Name, err, test.path)
		}
	}
}

func within(path, dir string) bool {
	return path == dir || dir != "" && strings.HasPrefix(path, dir+"/")
}

func TestCreateFolderRefusesForeignDirectories(t *testing.T) {
	f := newFixture(t)
	f.ok(os.Mkdir(f.path("other"), 0o700))
	f.put("kind = \"root\"\nid = \"x\"\naccount = \"x\"\ngeneration = 1\n", "other", ".mailmoor")
	for _, name := range [][]string{{"other"}, {"other", "below"}} {
		_, err := f.CreateFolder(t.Context(), name, 0)
		wantCause(t, err, state.CauseConfig)
	}
	f.ok(os.Symlink(f.path("INBOX"), f.path("link")))
	if _, err := f.CreateFolder(t.Context(), []string{"link", "x"}, 0); err == nil {
		t.Error("a symbolic link was followed")
	}
}

// TestMark raises the generation of a root and reads it again.
func TestMark(t *testing.T) {
	f := newFixture(t)
	for _, want := range []int64{1, 2, 3, 1 << 62} {
		if want > 1 {
			f.ok(f.Mark(want))
		}
		if got, err := f.Generation(); got != want || err != nil {
			t.Errorf("generation %d, %v, want %d", got, err, want)
		}
	}
	info, err := maildir.ReadRoot(f.root)
	f.ok(err)
	if info.MarkerID != account || info.Foreign != "" {
		t.Errorf("the root is now %+v", info)
	}
	if _, err := os.Lstat(filepath.Join(f.root, ".mailmoor.tmp")); err == nil {
		t.Error("the draft stays")
	}
	if err := f.Mark(0); err == nil {
		t.Error("generation 0 was written")
	}
	// What an interrupted one left behind is in nobody's way.
	f.ok(os.WriteFile(filepath.Join(f.root, ".mailmoor.tmp"), []byte("half"), 0o600))
	f.ok(f.Mark(5))

	// Another directory in the root's place gets no marker of ours.
	f.ok(os.Rename(f.root, f.root+".away"))
	f.ok(os.Mkdir(f.root, 0o700))
	if err := f.Mark(6); state.CauseOf(err) != state.CauseGone {
		t.Errorf("marked: %v", err)
	}
	f.ok(os.Remove(f.root))
	f.ok(os.Rename(f.root+".away", f.root))
	if got, err := f.Generation(); got != 5 || err != nil {
		t.Errorf("generation %d, %v", got, err)
	}
}
