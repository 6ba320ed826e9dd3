package real

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
)

// stray is something that happens to the file of a message, after which no name tells
// whose file it is, and how that is mended.
type stray struct {
	name   string
	happen func(a *account, file string)
	mend   func(a *account, file string)
}

// away moves the file into a directory of the tree that is no folder.
func away(dir string, prepare func(*account, string)) stray {
	return stray{
		name: "moved into " + dir,
		happen: func(a *account, file string) {
			a.must(os.MkdirAll(filepath.Join(a.root, dir, "cur"), 0o700))
			prepare(a, filepath.Join(a.root, dir))
			a.rename(file, filepath.Join(a.root, dir, "cur", filepath.Base(file)))
		},
		mend: func(a *account, file string) {
			a.rename(filepath.Join(a.root, dir, "cur", filepath.Base(file)), file)
			a.must(os.RemoveAll(filepath.Join(a.root, dir, "cur")))
			a.must(os.RemoveAll(filepath.Join(a.root, dir, "new")))
		},
	}
}

func whole(a *account, dir string) {
	for _, sub := range []string{"new", "tmp"} {
		a.must(os.MkdirAll(filepath.Join(dir, sub), 0o700))
	}
}

func part(*account, string) {}

// foreign makes the directory a folder of another account.
func foreign(a *account, dir string) {
	whole(a, dir)
	marker, err := os.ReadFile(filepath.Join(a.root, box, ".mailmoor"))
	a.must(err)
	account := regexp.MustCompile(`[0-9a-f]{32}`)
	ids := account.FindAllString(string(marker), -1)
	for _, id := range ids {
		marker = bytes.ReplaceAll(marker, []byte(id), []byte(strings.Repeat("f", len(id))))
	}
	a.must(os.WriteFile(filepath.Join(dir, ".mailmoor"), marker, 0o600))
}

// renamed gives the file another name in its directory.
func renamed(name string) stray {
	other := func(file string) string { return filepath.Join(filepath.Dir(file), name) }
	return stray{
		name:   "renamed to " + name,
		happen: func(a *account, file string) { a.rename(file, other(file)) },
		mend:   func(a *account, file string) { a.rename(other(file), file) },
	}
}

// strays come with what isync 1.5.1 does: it keeps all of these messages. So did not
// we: each was moved to Trash, and the file was doubled when its name was mended.
var strays = []stray{
	renamed(".K"),
	renamed(".K:2,S"),
	renamed(":2,S"),
	renamed("K~"),
	renamed("#K#"),
	renamed("K.sync-conflict-20240101-120000-ABCDEFG"),
	away("Half", part),
	away(".", part),
	{
		name: "moved through a link to a directory",
		happen: func(a *account, file string) {
			outside := filepath.Join(filepath.Dir(a.root), "outside")
			a.must(os.MkdirAll(filepath.Join(outside, "cur"), 0o700))
			a.must(os.Symlink(outside, filepath.Join(a.root, "Linked")))
			a.rename(file, filepath.Join(a.root, "Linked", "cur", filepath.Base(file)))
		},
		mend: func(a *account, file string) {
			a.rename(filepath.Join(a.root, "Linked", "cur", filepath.Base(file)), file)
			a.must(os.Remove(filepath.Join(a.root, "Linked")))
		},
	},
	away("Foreign", foreign),
	{
		name: "truncated under another name",
		happen: func(a *account, file string) {
			a.rename(file, filepath.Join(filepath.Dir(a.root), "saved"))
			a.must(os.WriteFile(filepath.Join(filepath.Dir(file), "empty:2,S"), nil, 0o600))
		},
		mend: func(a *account, file string) {
			a.must(os.Remove(filepath.Join(filepath.Dir(file), "empty:2,S")))
			a.rename(filepath.Join(filepath.Dir(a.root), "saved"), file)
		},
	},
	{
		name: "exchanged for a link",
		happen: func(a *account, file string) {
			a.rename(file, filepath.Join(filepath.Dir(a.root), "linked"))
			a.must(os.Symlink(filepath.Join(filepath.Dir(a.root), "linked"), filepath.Join(filepath.Dir(file), "link:2,S")))
		},
		mend: func(a *account, file string) {
			a.must(os.Remove(filepath.Join(filepath.Dir(file), "link:2,S")))
			a.rename(filepath.Join(filepath.Dir(a.root), "linked"), file)
		},
	},
}

// TestStrays: while nobody knows whose file something is, no message counts as gone; and
// when it is mended, everything is as before.
func TestStrays(t *testing.T) {
	srv := newServer(t)
	for _, x := range strays {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, want := fullBox(t, srv, 5)
			file := a.file(box, "m03")
			x.happen(a, file)
			for range 3 {
				r := a.sync()
				if len(r.Problems) == 0 {
					t.Error("nobody was told")
				}
				if r.Counts != (engine.Counts{}) {
					t.Errorf("counts are %+v, want nothing done", r.Counts)
				}
			}
			if got := a.remote()[box]; len(got) != 5 {
				t.Errorf("the server has %v, want all 5 messages", got)
			}
			x.mend(a, file)
			a.sync()
			a.expect(want...)
			if held := a.held(); len(held) > 0 {
				t.Errorf("the hold area has %v, want nothing", held)
			}
		})
	}
}

// TestStraysThatStay: what was there while nothing was missing is no message. It must
// not keep the user from deleting mail for ever.
func TestStraysThatStay(t *testing.T) {
	a, _ := fullBox(t, newServer(t), 5)
	for _, name := range []string{"empty:2,S", ".odd", "K~"} {
		a.must(os.WriteFile(filepath.Join(a.root, box, "cur", name), nil, 0o600))
	}
	a.must(os.MkdirAll(filepath.Join(a.root, "Half", "cur"), 0o700))
	a.must(os.WriteFile(filepath.Join(a.root, "Half", "cur", "k:2,S"), nil, 0o600))
	a.later(time.Minute)
	a.sync()
	a.sync()
	a.must(os.Remove(a.file(box, "m03")))
	for _, p := range a.sync().Problems {
		if strings.Contains(string(p.Text), "left alone:") {
			t.Errorf("%s: %s", p.Subject, p.Text)
		}
	}
	if got := a.remote(); len(got[box]) != 4 || len(got["Trash"]) != 1 {
		t.Errorf("%s has %v and Trash %v, want the message that was deleted there", box, got[box], got["Trash"])
	}
}
