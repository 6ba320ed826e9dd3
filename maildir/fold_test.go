package maildir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailmoor/state"
)

// openDir opens a directory for a test.
func openDir(t *testing.T, path string) dir {
	t.Helper()
	d, err := openRootDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

// TestFoldsCase: a disk that ignores case finds the marker in capitals, too. A second
// name of the file makes any disk look like one; another file of that name does not.
func TestFoldsCase(t *testing.T) {
	path := t.TempDir()
	marker, capitals := filepath.Join(path, markerName), filepath.Join(path, strings.ToUpper(markerName))
	d := openDir(t, path)
	want := func(what string, want bool) {
		t.Helper()
		if got, err := foldsCase(d, markerName); got != want || err != nil {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	want("no marker", false)
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(capitals); err == nil {
		want("a disk that ignores case", true)
		return
	}
	want("a disk that does not", false)
	if err := os.WriteFile(capitals, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want("another file", false)
	if err := errors.Join(os.Remove(capitals), os.Link(marker, capitals)); err != nil {
		t.Fatal(err)
	}
	want("the same file", true)
}

// TestExactName: a directory that the disk shows under another name is not the one
// that was meant, be it because of case or of how an accent is written.
func TestExactName(t *testing.T) {
	path := t.TempDir()
	const composed, decomposed = "B\u00fcro", "Bu\u0308ro"
	for _, name := range []string{"Work", composed} {
		if err := os.Mkdir(filepath.Join(path, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d := openDir(t, path)
	for _, name := range []string{"Work", composed} {
		if err := exactName(d, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"work", "WORK", decomposed} {
		err := exactName(d, name)
		e, ok := errors.AsType[*state.Error](err)
		if !ok || e.Scope != state.ScopeMailbox || e.Cause != state.CauseConfig || !strings.Contains(string(e.Hint), "rename") {
			t.Errorf("%q: %v, want a refusal with a hint about rename", name, err)
		}
	}
}

// TestNewBesideNew: on a disk that ignores case a mailbox New is kept apart from the
// directory new of the folder in which it lies. On others it is a name like any other.
func TestNewBesideNew(t *testing.T) {
	for _, test := range []struct {
		folds  bool
		layout Layout
		want   []string
	}{
		{false, LayoutFS, []string{"New", "Work/NEW", "Work/%63ur", "news"}},
		{true, LayoutFS, []string{"%4Eew", "Work/%4E%45%57", "Work/%63ur", "news"}},
		{false, LayoutPlus, []string{".New", ".Work.NEW", ".Work.cur", ".news"}},
		{true, LayoutPlus, []string{".New", ".Work.NEW", ".Work.cur", ".news"}},
	} {
		root, id := filepath.Join(t.TempDir(), "mail"), strings.Repeat("0a", 16)
		if err := CreateRoot(root, id, test.layout); err != nil {
			t.Fatal(err)
		}
		if test.folds {
			if err := os.Link(filepath.Join(root, markerName), filepath.Join(root, strings.ToUpper(markerName))); err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
		}
		tree, err := Open(Options{Root: root, AccountID: id, Layout: test.layout, HoldDir: filepath.Join(t.TempDir(), "hold")})
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range [][]string{{"New"}, {"Work", "NEW"}, {"Work", "cur"}, {"news"}} {
			f, err := tree.CreateFolder(t.Context(), name, 0)
			if err != nil || f.Path != test.want[i] || strings.Join(f.Name, "/") != strings.Join(name, "/") {
				t.Errorf("%s, folding %v: %q lies at %q as %q, %v, want %q", test.layout, test.folds, name, f.Path, f.Name, err, test.want[i])
			}
		}
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
}
