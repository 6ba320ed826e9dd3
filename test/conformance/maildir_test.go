package conformance_test

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/conformance"
)

func TestMaildir(t *testing.T) { onDisk(t, maildir.LayoutFS, maildir.SeparatorColon) }

func TestMaildirPlus(t *testing.T) { onDisk(t, maildir.LayoutPlus, maildir.SeparatorExclamation) }

func TestMaildirSemicolon(t *testing.T) { onDisk(t, maildir.LayoutFS, maildir.SeparatorSemicolon) }

// onDisk runs the suite on a tree of the layout, with this separator in file names.
func onDisk(t *testing.T, layout maildir.Layout, separator maildir.Separator) {
	t.Helper()
	conformance.Local(t, func(t *testing.T) conformance.LocalFixture {
		t.Helper()
		base := t.TempDir()
		d := disk{root: filepath.Join(base, "mail"), hold: filepath.Join(base, "hold"), layout: layout, mark: string(separator) + "2,"}
		account := strings.Repeat("0a", 16)
		if err := maildir.CreateRoot(d.root, account, layout); err != nil {
			t.Fatal(err)
		}
		tree, err := maildir.Open(maildir.Options{Root: d.root, AccountID: account, Layout: layout, Separator: separator, HoldDir: d.hold})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := tree.Close(); err != nil {
				t.Error(err)
			}
		})
		return conformance.LocalFixture{Tree: tree, User: d, Disk: d}
	})
}

// disk acts on the files of the tree.
type disk struct {
	root, hold string
	layout     maildir.Layout
	mark       string // what stands before the letters
}

// must ends the test when err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d disk) Put(t *testing.T, folder string, f conformance.File) {
	t.Helper()
	name := string(f.Key) + d.mark + f.Letters
	sub := "cur"
	if f.New {
		name, sub = string(f.Key), "new"
	}
	path := filepath.Join(d.root, folder, sub, name)
	must(t, os.WriteFile(path, f.Data, 0o600))
	must(t, os.Chtimes(path, time.Time{}, time.Unix(f.Date, 0)))
}

// find returns the path of the file of the key.
func (d disk) find(t *testing.T, folder string, key state.Key) string {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		for _, name := range d.names(t, folder, sub) {
			if base, _, _ := strings.Cut(name, d.mark); base == string(key) {
				return filepath.Join(d.root, folder, sub, name)
			}
		}
	}
	t.Fatalf("folder %q has no file %q", folder, key)
	return ""
}

// names returns the names in a directory of the folder.
func (d disk) names(t *testing.T, folder, sub string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.root, folder, sub))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (d disk) SetLetters(t *testing.T, folder string, key state.Key, letters string) {
	t.Helper()
	must(t, os.Rename(d.find(t, folder, key), filepath.Join(d.root, folder, "cur", string(key)+d.mark+letters)))
}

func (d disk) Edit(t *testing.T, folder string, key state.Key, data []byte) {
	t.Helper()
	must(t, os.WriteFile(d.find(t, folder, key), data, 0o600))
}

func (d disk) Delete(t *testing.T, folder string, key state.Key) {
	t.Helper()
	must(t, os.Remove(d.find(t, folder, key)))
}

func (d disk) AddFolder(t *testing.T, name string) string {
	t.Helper()
	path := name
	if d.layout == maildir.LayoutPlus {
		path = "." + name
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(d.root, path, sub), 0o700))
	}
	return path
}

func (d disk) Files(t *testing.T, folder string) []conformance.File {
	t.Helper()
	var files []conformance.File
	for _, sub := range []string{"new", "cur"} {
		for _, name := range d.names(t, folder, sub) {
			path := filepath.Join(d.root, folder, sub, name)
			info, err := os.Stat(path)
			must(t, err)
			data, err := os.ReadFile(path)
			must(t, err)
			key, letters, _ := strings.Cut(name, d.mark)
			files = append(files, conformance.File{
				Key: state.Key(key), Letters: letters, New: sub == "new", Date: info.ModTime().Unix(), Data: data,
			})
		}
	}
	slices.SortFunc(files, func(a, b conformance.File) int { return cmp.Compare(a.Key, b.Key) })
	return files
}

func (d disk) Leftovers(t *testing.T, folder string) int {
	t.Helper()
	return len(d.names(t, folder, "tmp"))
}

func (d disk) Held(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(d.hold, path))
	must(t, err)
	return data
}

func (d disk) Keywords(t *testing.T, folder, letters string) state.Keywords {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(d.root, folder, "dovecot-keywords"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(table)) {
		number, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.Atoi(number)
		must(t, err)
		if strings.ContainsRune(letters, rune('a'+n)) {
			names = append(names, name)
		}
	}
	return state.NewKeywords(names...)
}

// Unmount leaves an empty mount point at the root.
func (d disk) Unmount(t *testing.T) {
	t.Helper()
	must(t, errors.Join(os.Rename(d.root, d.root+".disk"), os.Mkdir(d.root, 0o700)))
}
