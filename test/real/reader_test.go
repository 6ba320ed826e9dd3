package real

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailmoor/state"
)

// readerHabit is something that a mail reader does to the files of a tree which
// holds INBOX/a, b, c and Archive/x, and what must come of it on both sides.
type readerHabit struct {
	name string
	do   func(*account)
	want []string
	// moved is how many messages the run moves on the server. Nothing is ever
	// transferred or removed, copies excepted.
	moved, uploaded int
}

var readerHabits = []readerHabit{
	{"from new to cur", func(a *account) {
		a.letters("INBOX", "a", "")
	}, []string{"INBOX/a:", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 0, 0},
	{"flags as mutt writes them", func(a *account) {
		// Mutt writes the letters in an order of its own.
		a.letters("INBOX", "a", "SRF")
		a.letters("INBOX", "b", "S")
	}, []string{"INBOX/a:FRS", "INBOX/b:S", "INBOX/c:", "Archive/x:"}, 0, 0},
	{"moved under a fresh name and inode, as mutt does", func(a *account) {
		a.rewrite("INBOX", "a", "Archive", "cur/1700000000.R1.host:2,S")
	}, []string{"Archive/a:S", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 1, 0},
	{"moved under a fresh name, as mu4e does", func(a *account) {
		a.rename(a.file("INBOX", "a"), a.dir("Archive", "cur/1700000000.mu4e:2,S"))
	}, []string{"Archive/a:S", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 1, 0},
	{"moved there and back", func(a *account) {
		a.rename(a.file("INBOX", "a"), a.dir("Archive", "cur/1700000000.x:2,S"))
		a.rename(a.file("Archive", "a"), a.dir("INBOX", "cur/1700000001.y:2,S"))
	}, []string{"INBOX/a:S", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 0, 0},
	{"copied", func(a *account) {
		a.link("INBOX", "a", "Archive", "cur/1700000000.copy:2,F")
	}, []string{"INBOX/a:", "Archive/a:F", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 0, 1},
	{"copied and the original moved", func(a *account) {
		a.link("INBOX", "a", "Archive", "cur/1700000000.copy:2,")
		a.carry("INBOX", "a", "Drafts")
	}, []string{"Drafts/a:", "Archive/a:", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 1, 1},
	{"two messages change places", func(a *account) {
		a.rename(a.file("INBOX", "a"), a.dir("Archive", "cur/1.a:2,"))
		a.rename(a.file("Archive", "x"), a.dir("INBOX", "cur/2.x:2,"))
	}, []string{"Archive/a:", "INBOX/x:", "INBOX/b:", "INBOX/c:"}, 2, 0},
	{"marked deleted and purged", func(a *account) {
		a.letters("INBOX", "a", "ST")
		a.drop("INBOX", "a")
	}, []string{"Trash/a:", "INBOX/b:", "INBOX/c:", "Archive/x:"}, 0, 0},
}

// TestReaders: mail readers rename, move and copy files as they like. The server
// follows, nothing is transferred twice, and no date is lost.
func TestReaders(t *testing.T) {
	srv := newServer(t)
	for _, habit := range readerHabits {
		t.Run(habit.name, func(t *testing.T) {
			t.Parallel()
			habit.play(newAccount(t, srv))
		})
	}
}

// play lets the reader do it, and checks what comes of it.
func (h readerHabit) play(a *account) {
	a.Helper()
	a.deliver("INBOX", "a", "b", "c")
	a.deliver("Archive", "x")
	a.clean()
	h.do(a)
	c := a.clean().Counts
	if c.MovedRemote != h.moved || c.Uploaded != h.uploaded {
		a.Errorf("counts are %+v, want %d moves and %d uploads", c, h.moved, h.uploaded)
	}
	a.expect(h.want...)
	if held := a.held(); len(held) > 0 {
		a.Errorf("the hold area has %v, want nothing", held)
	}
}

// rewrite moves a message as a copy with the date kept, and removes the original.
func (a *account) rewrite(folder, token, dest, name string) {
	a.Helper()
	path := a.file(folder, token)
	data, err := os.ReadFile(path)
	a.must(err)
	info, err := os.Stat(path)
	a.must(err)
	a.putFile(dest, name, data, info.ModTime().Unix())
	a.must(os.Remove(path))
}

// link copies a message as a hard link, as mutt does, where the disk knows such.
func (a *account) link(folder, token, dest, name string) {
	a.Helper()
	path := a.file(folder, token)
	err := os.Link(path, a.dir(dest, name))
	if errors.Is(err, os.ErrPermission) {
		data, readErr := os.ReadFile(path)
		a.must(readErr)
		info, statErr := os.Stat(path)
		a.must(statErr)
		a.putFile(dest, name, data, info.ModTime().Unix())
		return
	}
	a.must(err)
}

// TestForeignLetters: letters that Dovecot or others put into the info of a file
// stand for nothing of ours. They survive our own renames and moves.
func TestForeignLetters(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b", "c")
	a.clean()
	a.letters("INBOX", "a", "Sab")
	a.letters("INBOX", "b", "Sab,extra")
	a.clean()
	a.expect("INBOX/a:S", "INBOX/b:S", "INBOX/c:")
	a.flag("INBOX", "a", "FS")
	a.srv.Move(a.user, "INBOX", a.uid("INBOX", "b"), "Archive")
	a.clean()
	a.expect("INBOX/a:FS", "Archive/b:S", "INBOX/c:")
	for path, want := range map[string]string{a.file("INBOX", "a"): ":2,FSab", a.file("Archive", "b"): ":2,Sab,extra"} {
		if !strings.HasSuffix(path, want) {
			t.Errorf("file %s has lost its letters, want %s", filepath.Base(path), want)
		}
	}
}

// TestDatesSurvive: a message keeps its date through uploads, downloads and moves
// on either side. Sorting by date would break otherwise.
func TestDatesSurvive(t *testing.T) {
	a := newAccount(t, newServer(t))
	old := time.Date(2003, 2, 1, 4, 5, 6, 0, time.UTC)
	a.srv.Append(a.user, "INBOX", nil, old, body("a"))
	a.deliver("INBOX", "stay")
	a.mkfolder("INBOX")
	a.putFile("INBOX", "cur/1.b:2,", lf(body("b")), old.Unix())
	a.clean()
	a.carry("INBOX", "a", "Archive")
	a.srv.Move(a.user, "INBOX", a.uid("INBOX", "b"), "Archive")
	a.clean()
	for _, m := range a.same()["Archive"] {
		if m.Date != old.Unix() {
			t.Errorf("%s is of %v, want %v", m.Token, time.Unix(m.Date, 0).UTC(), old)
		}
	}
	a.expect("Archive/a:", "Archive/b:", "INBOX/stay:")
}

// TestStrangeFiles: what is no readable message is neither uploaded nor taken
// for a deletion. It is reported, and its neighbours go on.
func TestStrangeFiles(t *testing.T) {
	for name, c := range map[string]struct {
		put   func(a *account, path string) error
		words string
	}{
		"a dangling link": {func(_ *account, path string) error { return os.Symlink("nowhere", path) }, "strange"},
		"a named pipe":    {func(_ *account, path string) error { return syscall.Mkfifo(path, 0o600) }, "strange"},
		"a directory":     {func(_ *account, path string) error { return os.Mkdir(path, 0o700) }, "strange"},
		"a file that nobody may read": {func(a *account, path string) error {
			if os.Geteuid() == 0 {
				a.Skip("root may read everything")
			}
			return errors.Join(os.WriteFile(path, body("x"), 0o600), os.Chmod(path, 0))
		}, "strange"},
		"a message in place of which another thing lies": {func(a *account, _ string) error {
			path := a.file("INBOX", "b")
			return errors.Join(os.Remove(path), os.Symlink("nowhere", path))
		}, "INBOX"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, newServer(t))
			a.deliver("INBOX", "a", "b", "c", "d")
			a.clean()
			before := a.remote()["INBOX"]
			a.must(c.put(a, a.dir("INBOX", "cur", "strange:2,")))
			a.letters("INBOX", "a", "F")
			a.later(25 * time.Hour)
			for range 2 {
				report := a.sync()
				if len(report.Problems) != 1 || !strings.Contains(fmt.Sprint(report.Problems[0]), c.words) {
					t.Errorf("problems are %+v, want one about %s", report.Problems, c.words)
				}
			}
			before[0].Flags = "F"
			if got := a.remote()["INBOX"]; !slices.Equal(got, before) {
				t.Errorf("the server has %v, want %v", got, before)
			}
		})
	}
}

// TestTwins: two files with the same name before the ":2,". Whichever is meant,
// nothing happens to either until the user has sorted it out.
func TestTwins(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b")
	a.clean()
	base, _, _ := strings.Cut(filepath.Base(a.file("INBOX", "a")), ":2,")
	twin := a.dir("INBOX", "cur", base+":2,T")
	a.must(os.WriteFile(twin, lf(body("twin")), 0o600))
	before := a.remote()
	report := a.sync()
	if len(report.Problems) != 1 || report.Problems[0].Mailbox != "INBOX" || report.Problems[0].Scope != state.ScopeMessage {
		t.Errorf("problems are %+v, want one about the message", report.Problems)
	}
	if got := a.remote(); !slices.Equal(got.names(), before.names()) {
		t.Errorf("the server has %q, want %q", got.names(), before.names())
	}
	a.must(os.Remove(twin))
	a.clean()
	a.expect("INBOX/a:", "INBOX/b:")
}
