package maildir_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mailmoor/maildir"
	"mailmoor/state"
)

// agree is a state that forgets.
func agree() error { return nil }

func TestAdoptRoot(t *testing.T) {
	const other = "other"
	for name, prepare := range map[string]func(f *fixture){
		"as it was":         func(*fixture) {},
		"no directory":      func(f *fixture) { f.ok(os.RemoveAll(f.root)) },
		"emptied":           func(f *fixture) { f.ok(os.RemoveAll(f.root)); f.ok(os.MkdirAll(f.root, 0o700)) },
		"no root marker":    func(f *fixture) { f.ok(os.Remove(filepath.Join(f.root, ".mailmoor"))) },
		"no folder marker":  func(f *fixture) { f.ok(os.Remove(filepath.Join(f.root, "INBOX", ".mailmoor"))) },
		"unreadable marker": func(f *fixture) { f.ok(os.WriteFile(filepath.Join(f.root, ".mailmoor"), []byte("?"), 0o600)) },
		"another account's": func(f *fixture) { f.ok(maildir.AdoptRoot(f.root, other, maildir.LayoutFS, agree)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.deliver("INBOX", mail, state.Seen)
			f.ok(f.Close())
			prepare(f)
			for range 2 {
				forgot := 0
				f.ok(maildir.AdoptRoot(f.root, account, maildir.LayoutFS, func() error { forgot++; return nil }))
				if forgot != 1 {
					t.Errorf("the state was asked %d times to forget", forgot)
				}
			}
			tree, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold})
			f.ok(err)
			defer tree.Close()
			folders, leftOut, err := tree.Folders(t.Context())
			problems := problemsOf(leftOut)
			if err != nil || len(problems) > 0 {
				t.Errorf("folders %+v, problems %+v, %v", folders, problems, err)
			}
			if g, err := tree.Generation(); g != 1 || err != nil {
				t.Errorf("generation %d, %v", g, err)
			}
		})
	}
}

// TestAdoptRootRefuses: whatever speaks against it is found before the state forgets.
func TestAdoptRootRefuses(t *testing.T) {
	f := newFixture(t)
	forget := func() error { t.Error("the state was told to forget"); return nil }
	if err := maildir.AdoptRoot(f.root, account, maildir.LayoutFS, forget); state.CauseOf(err) != state.CauseLocked {
		t.Errorf("a tree that somebody works on: %v", err)
	}
	f.ok(f.Close())
	for name, root := range map[string]string{
		"inside another root": filepath.Join(f.root, "INBOX"), "around another root": filepath.Dir(f.root), "not absolute": "mail",
	} {
		if err := maildir.AdoptRoot(root, "other", maildir.LayoutFS, forget); state.CauseOf(err) != state.CauseConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused := errors.New("no")
	before := stats(t, f.root)
	if err := maildir.AdoptRoot(f.root, "other", maildir.LayoutFS, func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("the state did not forget: %v", err)
	}
	if after := stats(t, f.root); len(before) != len(after) {
		t.Error("something changed")
	}
	info, err := maildir.ReadRoot(f.root)
	if info.MarkerID != account || err != nil {
		t.Errorf("the root is %+v, %v", info, err)
	}
}
