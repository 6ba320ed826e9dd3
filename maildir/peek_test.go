package maildir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"mailmoor/maildir"
	"mailmoor/state"
)

// stats lists everything below a directory, the directory included, with all
// that changes when somebody touches it.
func stats(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, path := range treeOf(t, dir) {
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintln(path, st.Ino, st.Mode, st.Nlink, st.Size, st.Mtim.Nano(), st.Ctim.Nano()))
	}
	return all
}

// unowned makes a tree as another program leaves it: folders, no markers.
func unowned(t *testing.T) (root string, o maildir.Options) {
	t.Helper()
	base := t.TempDir()
	root = filepath.Join(base, "mail")
	for _, sub := range []string{"INBOX/cur", "INBOX/new", "Lists/Go/cur", "Lists/Go/new"} { // no tmp/
		if err := os.MkdirAll(filepath.Join(root, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "INBOX", "cur", "1.a:2,S"), []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	return root, maildir.Options{Root: root, HoldDir: filepath.Join(base, "state", "hold"), Peek: true}
}

func TestPeekAtATreeThatIsNobodysYet(t *testing.T) {
	root, o := unowned(t)
	before := stats(t, filepath.Dir(root))
	tree, err := maildir.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	folders, leftOut, err := tree.Folders(t.Context())
	problems := problemsOf(leftOut)
	if err != nil || len(folders) != 2 || len(problems) != 0 {
		t.Fatalf("folders %+v, problems %+v, %v", folders, problems, err)
	}
	delta, err := tree.Scan(t.Context(), "INBOX", nil, state.ScanOptions{Stat: true})
	if err != nil || len(delta.New) != 1 || delta.New[0].Key != "1.a" || delta.New[0].Content != contentOf(mail) {
		t.Errorf("%+v, %v", delta, err)
	}
	upload, err := tree.Open(t.Context(), "INBOX", delta.New[0])
	if err != nil || upload.Size != int64(len(mail)) {
		t.Errorf("%+v, %v", upload, err)
	}
	if found, err := tree.Find(t.Context(), []state.Key{"1.a"}); err != nil || len(found) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
	if diff := cmp.Diff(before, stats(t, filepath.Dir(root))); diff != "" {
		t.Errorf("looking changed something:\n%s", diff)
	}
}

// TestPeekChangesNothing calls every method that would.
func TestPeekChangesNothing(t *testing.T) {
	f := newFixture(t)
	m := f.deliver("INBOX", mail, state.Seen)
	f.folder("Archive")
	held := f.deliver("INBOX", mail, 0)
	_, err := f.Remove(t.Context(), "INBOX", record(held), "test")
	f.ok(err)
	f.put("half", "INBOX", "tmp", "1.left")
	before := stats(t, filepath.Dir(f.root))

	// f still holds the lock: a peek needs none.
	peek, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold, Peek: true})
	f.ok(err)
	defer peek.Close()
	ctx := t.Context()
	for name, change := range map[string]func() error{
		"CreateFolder": func() error { _, err := peek.CreateFolder(ctx, []string{"New"}, 0); return err },
		"SetFlags":     func() error { _, err := peek.SetFlags(ctx, "INBOX", m.Key, m.Flags, 0); return err },
		"Move":         func() error { _, err := peek.Move(ctx, "INBOX", record(m), "Archive", 0); return err },
		"Remove":       func() error { _, err := peek.Remove(ctx, "INBOX", record(m), "test"); return err },
		"Deliver":      func() error { _, err := peek.Deliver(ctx, "INBOX"); return err },
		"Keep":         func() error { _, err := peek.Keep(ctx, state.Held{Mailbox: "INBOX"}, incoming(mail, 0)); return err },
		"Discard":      func() error { return peek.Discard(ctx, "INBOX", "1.left") },
		"Mark":         func() error { return peek.Mark(7) },
		"Expire":       func() error { _, err := peek.Expire(ctx, time.Now().AddDate(1, 0, 0)); return err },
	} {
		if err := change(); err == nil || !strings.Contains(err.Error(), "only to be looked at") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, stats(t, filepath.Dir(f.root))); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
}

func TestPeekKeepsNobodyFromWorking(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Close())
	o := maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold}
	looking := o
	looking.Peek = true
	peek, err := maildir.Open(looking)
	f.ok(err)
	defer peek.Close()
	tree, err := maildir.Open(o)
	f.ok(err)
	f.ok(tree.Close())
}

// TestPeekRefuses: a missing marker is as bad for a known account as ever, and
// one that is there belongs to somebody.
func TestPeekRefuses(t *testing.T) {
	root, o := unowned(t)
	o.AccountID = account
	_, err := maildir.Open(o)
	wantCause(t, err, state.CauseGone)

	o.AccountID = ""
	inner := o
	inner.Root = filepath.Join(root, "Lists")
	if err := maildir.CreateRoot(inner.Root, account, maildir.LayoutFS); err != nil {
		t.Fatal(err)
	}
	_, err = maildir.Open(inner)
	wantCause(t, err, state.CauseConfig)
	_, err = maildir.Open(o) // it contains another's root
	wantCause(t, err, state.CauseConfig)

	o.Peek = false
	_, err = maildir.Open(o)
	wantCause(t, err, state.CauseConfig)
}
