package real

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/test/lab"
)

// exFAT mounts an empty exFAT file system, as sticks and cards have it, and returns where.
func exFAT(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"mkfs.exfat", "mount.exfat-fuse", "losetup"} {
		lab.Require(t, program)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root may mount file systems")
	}
	run := func(command ...string) string {
		t.Helper()
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	base := t.TempDir()
	image, dir := filepath.Join(base, "image"), filepath.Join(base, "disk")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 64<<20), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	run("mkfs.exfat", image)
	device := run("losetup", "--find", "--show", image)
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	defer run("losetup", "--detach", device) // once it is not mounted any more
	run("mount.exfat-fuse", device, dir)
	return dir
}

// TestLifeOnExFAT: on a disk that takes no colon in file names, and does not tell capitals
// from small letters, life goes on as on any other: nobody has to say what the disk
// is like. Nothing but new mail without flags came through once.
func TestLifeOnExFAT(t *testing.T) {
	disk, srv := exFAT(t), newServer(t)
	open := func(t *testing.T) *account {
		t.Helper()
		a := newAccount(t, srv)
		a.separator = maildir.SeparatorExclamation
		a.root = filepath.Join(disk, a.user)
		return a
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(open(t))
		})
	}
	for _, h := range readerHabits {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			h.play(open(t))
		})
	}
}

// TestNamesOnExFAT: the disk takes names for one that differ in case only, and shows a file
// under another inode then; and it takes no name with a colon or a question mark. Each
// mailbox has a folder all the same.
func TestNamesOnExFAT(t *testing.T) {
	for _, layout := range []struct {
		maildir.Layout
		folders map[string]string
	}{
		{maildir.LayoutFS, map[string]string{
			"INBOX": "INBOX", "INBOX/New": "INBOX/%4Eew", "WORK": "WORK", "Work": "%57ork", "Work/a": "%57ork/a",
			"Re: what?": "Re%3A what%3F", "re: what?": "%72e%3A what%3F", "re: what?/x": "%72e%3A what%3F/x",
		}},
		{maildir.LayoutPlus, map[string]string{
			"INBOX": ".", "INBOX/New": ".INBOX.New", "WORK": ".WORK", "Work": ".%57ork", "Work/a": ".%57ork.a",
			"Re: what?": ".Re%3A what%3F", "re: what?": ".%72e%3A what%3F", "re: what?/x": ".%72e%3A what%3F.x",
		}},
	} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, newServer(t, lab.NestedStorage()))
			a.root, a.layout, a.separator = filepath.Join(exFAT(t), "mail"), layout.Layout, maildir.SeparatorExclamation
			for name := range layout.folders {
				if name != "INBOX" {
					a.srv.CreateMailbox(a.user, name)
				}
				a.deliver(name, name)
			}
			a.clean()
			if diff := gocmp.Diff(layout.folders, a.folderOfToken()); diff != "" {
				t.Errorf("the folders by mailbox (-want +got):\n%s", diff)
			}
			a.idle()
			// What is removed gets a directory of that name in the hold area, too.
			a.deliver("Re: what?", "stays")
			a.clean()
			a.srv.Expunge(a.user, "Re: what?", a.uid("Re: what?", "Re: what?"))
			a.clean()
			a.idle()
			if held := a.held(); held["Re: what?"] != 1 {
				t.Errorf("the hold area has %v", held)
			}
		})
	}
}

// TestTreeMovedToExFAT: a tree that is in use is copied to such a disk, with another sign
// for each colon, and goes on there. All flags went from the server.
func TestTreeMovedToExFAT(t *testing.T) {
	for _, separator := range []maildir.Separator{maildir.SeparatorExclamation, maildir.SeparatorSemicolon} {
		t.Run(string(separator), func(t *testing.T) {
			t.Parallel()
			disk := exFAT(t)
			a := newAccount(t, newServer(t))
			a.deliver("INBOX", "a", "b", "c")
			a.flag("INBOX", "a", "FS")
			a.flag("INBOX", "b", "R")
			a.clean()
			a.copyTree(filepath.Join(disk, "mail"), separator)
			if c := a.clean().Counts; c != (engine.Counts{}) {
				t.Errorf("counts are %+v, want nothing to do", c)
			}
			a.expect("INBOX/a:FS", "INBOX/b:R", "INBOX/c:")
			a.flag("INBOX", "c", "S")
			a.letters("INBOX", "b", "RS")
			a.clean()
			a.expect("INBOX/a:FS", "INBOX/b:RS", "INBOX/c:S")
			a.idle()
		})
	}
}

// TestCopiedTree: a copy of a tree that was in use on a disk that takes colons, with other
// signs for them, is a tree with the same flags. What is written has colons again.
func TestCopiedTree(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b")
	a.flag("INBOX", "a", "FS")
	a.clean()
	a.copyTree(filepath.Join(t.TempDir(), "copy"), maildir.SeparatorExclamation)
	if c := a.clean().Counts; c != (engine.Counts{}) {
		t.Errorf("counts are %+v, want nothing to do", c)
	}
	a.expect("INBOX/a:FS", "INBOX/b:")
	a.flag("INBOX", "a", "S")
	a.separator = maildir.SeparatorColon
	a.clean()
	a.expect("INBOX/a:S", "INBOX/b:")
	a.idle()
}

// copyTree goes on with a copy of the tree in which a run has changed something. Its files
// have this separator, and their dates. The original is gone.
func (a *account) copyTree(to string, separator maildir.Separator) {
	a.Helper()
	from := a.root
	a.must(filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		a.must(err)
		rel, err := filepath.Rel(from, path)
		a.must(err)
		target := filepath.Join(to, strings.ReplaceAll(rel, ":2,", string(separator)+"2,"))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		data, err := os.ReadFile(path)
		a.must(err)
		info, err := entry.Info()
		a.must(err)
		if rel == ".mailmoor" {
			data = bytes.Replace(data, []byte("generation = 1\n"), []byte("generation = 7\n"), 1)
		}
		a.must(os.WriteFile(target, data, 0o600))
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	}))
	a.must(os.RemoveAll(from))
	a.root, a.separator = to, separator
}
