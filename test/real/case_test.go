package real

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// folding is a tree on a disk that ignores case, as far as the engine can ask. On a
// disk that really does so nothing is different.
type folding struct{ engine.LocalTree }

func (folding) FoldsCase(context.Context) (bool, error) { return true, nil }

// noneFold checks that a disk which ignores case could hold the tree: no directory has
// two entries that it would take for one.
func (a *account) noneFold() {
	a.Helper()
	seen := make(map[string]string)
	a.must(filepath.WalkDir(a.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		folded := filepath.Join(filepath.Dir(path), state.Fold(filepath.Base(path)))
		if other := seen[folded]; other != "" {
			a.Errorf("directories %q and %q are one to the disk", other, path)
		}
		seen[folded] = path
		return nil
	}))
}

// folderOfToken returns the folder, by its path, in which each message lies.
func (a *account) folderOfToken() map[string]string {
	a.Helper()
	folders := make(map[string]string)
	a.must(filepath.WalkDir(a.root, func(path string, entry fs.DirEntry, err error) error {
		if sub := filepath.Base(filepath.Dir(path)); err != nil || entry.IsDir() || sub != "new" && sub != "cur" {
			return err
		}
		data, err := os.ReadFile(path)
		folder, relErr := filepath.Rel(a.root, filepath.Dir(filepath.Dir(path)))
		if other := folders[tokenOf(data)]; other != "" {
			a.Errorf("message %q lies in %q and %q", tokenOf(data), other, folder)
		}
		folders[tokenOf(data)] = folder
		return errors.Join(err, relErr)
	}))
	return folders
}

// TestNamesThatDifferInCase: on a disk that ignores case every mailbox has a folder of
// its own all the same, which can be told from its name alone. The one that had it
// first keeps the plain one, and what is made later changes nothing of it.
func TestNamesThatDifferInCase(t *testing.T) {
	srv := newServer(t, lab.NestedStorage())
	for _, layout := range []struct {
		maildir.Layout
		first, later map[string]string // folder by mailbox
	}{
		{
			maildir.LayoutFS,
			map[string]string{"INBOX": "INBOX", "work": "work", "Work/a": "%57ork/a", "büro": "büro"},
			map[string]string{
				"Work": "%57ork", "WORK": "%57%4F%52%4B", "Work/A": "%57ork/%41", "work/a": "work/%61", "work/A/b": "work/A/b",
				"Büro": "%42üro", "bÜro/%": "b%C3%9Cro/%25",
			},
		},
		{
			maildir.LayoutPlus,
			map[string]string{"INBOX": ".", "work": ".work", "Work/a": ".%57ork.a", "büro": ".büro"},
			map[string]string{
				"Work": ".%57ork", "WORK": ".%57%4F%52%4B", "Work/A": ".%57ork.%41", "work/a": ".work.%61", "work/A/b": ".work.A.b",
				"Büro": ".%42üro", "bÜro/%": ".b%C3%9Cro.%25", "mailmoor": ".%6D%61ilmoor", "Mailmoor": ".%4Dailmoor",
			},
		},
	} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.layout = layout.Layout
			a.options = func(o *engine.Options) { o.Local = folding{o.Local} }
			a.srv.CreateMailbox(a.user, "work") // which is known alone
			a.deliver("work", "work")
			a.clean()
			want := make(map[string]string)
			for _, mailboxes := range []map[string]string{layout.first, layout.later} {
				maps.Copy(want, mailboxes)
				for name := range mailboxes {
					if name == "work" {
						continue
					}
					if name != "INBOX" {
						a.srv.CreateMailbox(a.user, name)
					}
					a.deliver(name, name)
				}
				a.clean()
				a.noneFold()
				if diff := gocmp.Diff(want, a.folderOfToken()); diff != "" {
					t.Fatalf("the folders by mailbox (-want +got):\n%s", diff)
				}
				a.idle()
			}
			a.bothWays(want)

			a.must(home.Forget(a.states))
			if c := a.clean().Counts; c.Paired != 2*len(want) || c.Downloaded+c.Uploaded+c.NewFolders+c.NewMailboxes != 0 {
				t.Errorf("without the state %+v, want %d pairs and nothing new", c, 2*len(want))
			}
			a.noneFold()
			a.idle()
		})
	}
}

// bothWays puts a message into each folder, and expects it in the folder's mailbox.
func (a *account) bothWays(folders map[string]string) {
	a.Helper()
	for name, folder := range folders {
		path := filepath.Join(a.root, folder, "cur", "put.into:2,S")
		a.must(os.WriteFile(path, lf(body("put into "+name)), 0o600))
	}
	a.clean()
	for name, list := range a.remote() {
		if _, asked := folders[name]; !asked {
			continue
		}
		var tokens []string
		for _, m := range list {
			tokens = append(tokens, m.Token)
		}
		if want := []string{name, "put into " + name}; !slices.Equal(slices.Sorted(slices.Values(tokens)), slices.Sorted(slices.Values(want))) {
			a.Errorf("mailbox %q has %q, want %q", name, tokens, want)
		}
	}
	a.idle()
}

// TestFolderKeptApartByHand: a folder that the user makes with the name of a mailbox that
// has one is no second one of it. One that stands for a mailbox without a folder is that.
func TestFolderKeptApartByHand(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.options = func(o *engine.Options) { o.Local = folding{o.Local} }
	a.srv.CreateMailbox(a.user, "Work")
	a.deliver("Work", "a")
	a.clean()
	a.mkfolder("%57ork")
	a.put("%57ork", "", "b")
	for range 2 {
		report := a.sync()
		if len(report.Problems) != 1 || report.Problems[0].Mailbox != "Work" || report.Problems[0].Hint == "" {
			t.Fatalf("problems are %+v, want one about the second folder", report.Problems)
		}
	}
	if got, want := a.remote().names(), []string{"Work/a:"}; !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	a.rename(filepath.Join(a.root, "%57ork"), filepath.Join(a.root, "%77ork"))
	a.srv.CreateMailbox(a.user, "work")
	a.deliver("work", "c")
	a.clean()
	if got, want := a.remote().names(), []string{"Work/a:", "work/b:", "work/c:"}; !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	if got, want := a.local().names(), []string{"%77ork/b:", "%77ork/c:", "Work/a:"}; !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
	a.noneFold()
	a.idle()
}
