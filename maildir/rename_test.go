package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestEveryWayToRenameIsExclusive(t *testing.T) {
	for name, way := range map[string]renameFunc{
		"by the kernel": renameExclusive, "by a link": renameByLink, "after a look": renameChecked, "whichever works": renameNoReplace,
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d, err := openRootDir(path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.close()
			write("a", "a")
			write("taken", "precious")
			if err := way(d, "a", d, "taken"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("onto a file: %v", err)
			}
			if err := way(d, "nothing", d, "b"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of nothing: %v", err)
			}
			if err := way(d, "a", d, "b"); err != nil {
				t.Error(err)
			}
			for name, want := range map[string]string{"b": "a", "taken": "precious"} {
				if got, err := os.ReadFile(filepath.Join(path, name)); err != nil || string(got) != want {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
			if _, err := os.Lstat(filepath.Join(path, "a")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the old name stays: %v", err)
			}
		})
	}
}
