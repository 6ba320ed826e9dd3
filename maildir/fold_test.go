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
		if !ok || e.Scope != state.ScopeMailbox || e.Cause != state.CauseConfig || !strings.Contains(e.Hint, "rename") {
			t.Errorf("%q: %v, want a refusal with a hint about rename", name, err)
		}
	}
}
