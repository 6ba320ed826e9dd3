package real

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestMaildirPlus plays the ordinary life of an account, and the habits of readers,
// in a tree with Maildir++ folders.
func TestMaildirPlus(t *testing.T) {
	srv := newServer(t)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.layout = maildir.LayoutPlus
			s.run(a)
		})
	}
	for _, h := range readerHabits {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.layout = maildir.LayoutPlus
			h.play(a)
		})
	}
}

// TestMaildirPlusFromBefore: a Maildir++ tree of another program, INBOX with mail in
// the root, is taken as it is. What is on both sides is paired.
func TestMaildirPlusFromBefore(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.layout = maildir.LayoutPlus
	a.deliver("INBOX", "a", "b")
	a.deliver("Archive", "x")
	for _, folder := range []string{"INBOX", "Archive", "Lists/go"} {
		a.mkfolder(folder)
	}
	a.putFile("INBOX", "cur/1.x:2,F", lf(body("a")), start)
	a.putFile("Archive", "cur/2.x:2,S", lf(body("x")), start)
	a.putFile("Lists/go", "new/3.x", lf(body("y")), start)
	if c := a.clean().Counts; c.Paired != 2 || c.Downloaded != 1 || c.Uploaded != 1 {
		a.Errorf("counts are %+v, want 2 pairs, 1 download, 1 upload", c)
	}
	a.expect("INBOX/a:F", "INBOX/b:", "Archive/x:S", "Lists/go/y:")
}

// TestMaildirPlusNames: every mailbox name becomes a folder beside the others and
// back, dots and the name of the marker included; one that is too long is left out
// with clear words, and the others go on.
func TestMaildirPlusNames(t *testing.T) {
	names := map[string]string{ // on the server: in the tree
		"Büro":        ".Büro",
		"Архив/仕事":    ".Архив.仕事",
		"dot.in.name": ".dot%2Ein%2Ename",
		".hidden":     ".%2Ehidden",
		"mailmoor":    ".%6Dailmoor",
		"mailmoor/x":  ".%6Dailmoor.x",
		"INBOX/below": ".INBOX.below",
		"100% sure":   ".100%25 sure",
		"a/b":         ".a.b",
		"a.b":         ".a%2Eb",
	}
	a := newAccount(t, newServer(t, lab.NestedStorage()))
	a.layout = maildir.LayoutPlus
	long := strings.Repeat(strings.Repeat("x", 60)+"/", 5) + "long"
	for name := range names {
		a.srv.CreateMailbox(a.user, name)
		a.deliver(name, "in "+name)
	}
	a.srv.CreateMailbox(a.user, long)
	a.deliver(long, "in long")
	for range 2 {
		report := a.sync()
		if len(report.Problems) != 1 || report.Problems[0].Mailbox != long || !strings.Contains(string(report.Problems[0].Text), "at most 255") ||
			!strings.Contains(string(report.Problems[0].Hint), "rename") {
			t.Fatalf("problems are %+v, want one about the long name", report.Problems)
		}
	}
	got := map[string]string{}
	a.must(filepath.WalkDir(a.root, func(path string, d fs.DirEntry, err error) error {
		sub := filepath.Base(filepath.Dir(path))
		if err != nil || d.IsDir() || sub != "new" && sub != "cur" {
			return err
		}
		data, err := os.ReadFile(path)
		folder, _ := filepath.Rel(a.root, filepath.Dir(filepath.Dir(path)))
		got[strings.TrimPrefix(tokenOf(data), "in ")] = folder
		return err
	}))
	if diff := gocmp.Diff(names, got); diff != "" {
		t.Errorf("the folders by mailbox (-want +got):\n%s", diff)
	}
	a.options = func(o *engine.Options) { o.Rename = map[string]string{long: "short"} }
	a.clean()
	if list := a.local()["short"]; len(list) != 1 || list[0].Token != "in long" {
		t.Errorf("folder short has %v", list)
	}
	a.idle()
}

// TestMaildirPlusIsDovecots: a Dovecot that serves the tree itself shows the same
// mailboxes, messages and flags.
func TestMaildirPlusIsDovecots(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.layout = maildir.LayoutPlus
	for _, name := range []string{"Büro", "Archive/2024/Q1", "INBOX/below"} {
		a.srv.CreateMailbox(a.user, name)
		a.deliver(name, "in "+name)
		a.flag(name, "in "+name, "FS")
	}
	a.deliver("INBOX", "a", "b")
	a.clean()

	other := newServer(t, lab.Config("mail_location = maildir:~/Maildir:UTF-8"))
	served := &account{T: t, srv: other.On(t), user: a.user}
	home := other.User(a.user).Home
	a.must(os.MkdirAll(home, 0o777))
	tree := filepath.Join(home, "Maildir")
	a.must(os.CopyFS(tree, os.DirFS(a.root)))
	a.must(filepath.WalkDir(a.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		a.must(err)
		rel, err := filepath.Rel(a.root, path)
		a.must(err)
		path = filepath.Join(tree, rel)
		mode := fs.FileMode(0o666)
		if d.IsDir() {
			mode = 0o777
		}
		return errors.Join(os.Chmod(path, mode), os.Chtimes(path, time.Time{}, info.ModTime()))
	}))
	a.must(os.Chmod(home, 0o777))
	if diff := gocmp.Diff(a.remote(), served.remote()); diff != "" {
		t.Errorf("the tree is not what it was made from (-server +tree):\n%s", diff)
	}
}

// TestMaildirPlusInboxGone: an INBOX whose directories vanish is no empty one.
func TestMaildirPlusInboxGone(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.layout = maildir.LayoutPlus
	a.deliver("INBOX", "a", "b")
	a.deliver("Archive", "x")
	a.clean()
	for _, sub := range []string{"cur", "new", "tmp"} {
		a.rename(a.dir("INBOX", sub), a.shelf(sub))
	}
	if h := a.onlyHold(a.sync()); !h.Whole || h.Mailbox != "INBOX" || h.Missing != state.Local {
		t.Errorf("the hold is %+v, want one of INBOX as a whole", h)
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		a.rename(a.shelf(sub), a.dir("INBOX", sub))
	}
	a.clean()
	a.expect("INBOX/a:", "INBOX/b:", "Archive/x:")
}

// TestForeignNames: a tree of a program that leaves the names of folders in modified
// UTF-7 is paired with the mailboxes that it was made from, in both layouts.
func TestForeignNames(t *testing.T) {
	srv := newServer(t)
	for _, layout := range []maildir.Layout{maildir.LayoutFS, maildir.LayoutPlus} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.layout = layout
			for mailbox, folder := range map[string]string{"Entwürfe": "Entw&APw-rfe", "Büro/R&D": "B&APw-ro/R&-D"} {
				a.srv.CreateMailbox(a.user, mailbox)
				a.deliver(mailbox, "in "+mailbox)
				a.mkfolder(folder)
				a.putFile(folder, "cur/1.x:2,S", lf(body("in "+mailbox)), start)
			}
			if c := a.clean().Counts; c.Paired != 2 || c.Downloaded+c.Uploaded+c.NewMailboxes != 0 {
				t.Errorf("counts are %+v, want 2 pairs and no more", c)
			}
			a.deliver("Büro/R&D", "new")
			a.drop("Entw&APw-rfe", "in Entwürfe")
			a.mkfolder("B&APw-ro/neu")
			a.put("B&APw-ro/neu", "", "mine")
			a.clean()
			want := []string{"Büro/R&D/in Büro/R&D:S", "Büro/R&D/new:", "Büro/neu/mine:", "Trash/in Entwürfe:S"}
			if diff := gocmp.Diff(want, a.remote().names()); diff != "" {
				t.Errorf("the server (-want +got):\n%s", diff)
			}
			want = []string{"B&APw-ro/R&-D/in Büro/R&D:S", "B&APw-ro/R&-D/new:", "B&APw-ro/neu/mine:", "Trash/in Entwürfe:S"}
			if diff := gocmp.Diff(want, a.local().names()); diff != "" {
				t.Errorf("the tree (-want +got):\n%s", diff)
			}
			a.settle()
			a.idle()
		})
	}
}
