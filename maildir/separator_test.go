package maildir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/state"
)

// separatorIn returns what the root's marker says.
func separatorIn(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".mailmoor"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "info_separator = \"")
	if !found {
		return ":"
	}
	return after[:1]
}

// TestSeparatorIsFoundOut: a tree that another program, or a copy, left with one of the
// other separators only keeps that one. What is written says so, and nothing but the
// configuration changes it later.
func TestSeparatorIsFoundOut(t *testing.T) {
	for _, test := range []struct {
		names   []string
		options maildir.Separator
		want    string
	}{
		{nil, "", ":"},
		{[]string{"new/a", "cur/b:2,S"}, "", ":"},
		{[]string{"new/a", "cur/b!2,S"}, "", "!"},
		{[]string{"cur/b;2,S", "cur/c;2,", "cur/noinfo"}, "", ";"},
		{[]string{"cur/b;2,S", "cur/c!2,S"}, "", ":"},
		{[]string{"cur/a!2,S", "cur/b:2,S"}, "", ":"},
		{[]string{"cur/.x!2,S", "cur/12!2"}, "", ":"},
		{[]string{"cur/b!2,S"}, ";", ";"},
		{[]string{"cur/b!2,S"}, ":", ":"},
		{nil, "!", "!"},
	} {
		f := newFixture(t)
		f.ok(f.Close())
		for _, name := range test.names {
			f.put(mail, "INBOX", name)
		}
		open := func(o maildir.Options) string {
			t.Helper()
			o.Root, o.AccountID, o.HoldDir = f.root, account, f.hold
			tree, err := maildir.Open(o)
			f.ok(err)
			if !o.Peek {
				f.ok(tree.Mark(2)) // which keeps it
			}
			f.ok(tree.Close())
			return separatorIn(t, f.root)
		}
		if got := open(maildir.Options{Peek: true, Separator: test.options}); got != ":" {
			t.Errorf("%q: a look has written %q", test.names, got)
		}
		if got := open(maildir.Options{Separator: test.options}); got != test.want {
			t.Errorf("%q with %q: %q, want %q", test.names, test.options, got, test.want)
		}
		f.put(mail, "INBOX", "cur", "later:2,S")
		if got := open(maildir.Options{}); got != test.want {
			t.Errorf("%q with %q: later %q, want %q", test.names, test.options, got, test.want)
		}
		if got := open(maildir.Options{Separator: ";"}); got != ";" {
			t.Errorf("%q: the configuration says \";\", the marker %q", test.names, got)
		}
		if diff := cmp.Diff([]string{".mailmoor"}, hiddenIn(t, f.root)); diff != "" {
			t.Errorf("a question to the disk left something: %s", diff)
		}
	}
}

func hiddenIn(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestSeparatorOfATreeInUse: what a copy made of the names of a tree that is in use says
// nothing about the separator. Its flags are read all the same, and names get the tree's
// separator when they are written.
func TestSeparatorOfATreeInUse(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Mark(7))
	a, b := f.deliver("INBOX", mail, state.Seen), f.deliver("INBOX", "x"+mail, 0)
	f.rename("INBOX/cur/"+string(a.Key)+":2,S", "INBOX/cur/"+string(a.Key)+"!2,S")
	f.rename("INBOX/new/"+string(b.Key), "INBOX/cur/"+string(b.Key)+";2,F")
	f.ok(f.Close())
	tree, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold})
	f.ok(err)
	f.Tree = tree
	if got := separatorIn(t, f.root); got != ":" {
		t.Errorf("the separator is %q now", got)
	}
	delta := f.scan("INBOX", record(a), record(b))
	if len(delta.Changed) != 1 || delta.Changed[0].Now.Flags != state.Flagged || len(delta.Missing)+len(delta.New)+len(delta.Problems) > 0 {
		t.Errorf("%+v, want one flag that changed", delta)
	}
	for key, flags := range map[state.Key]state.Flags{a.Key: state.Seen, b.Key: state.Flagged} {
		_, err := f.SetFlags(t.Context(), "INBOX", key, flags, flags|state.Answered)
		f.ok(err)
	}
	want := []string{string(a.Key) + ":2,RS", string(b.Key) + ":2,FR"}
	slices.Sort(want)
	if diff := cmp.Diff(want, f.names(f.path("INBOX", "cur"))); diff != "" {
		t.Error(diff)
	}
}

// TestKeyOfOlderVersion: a version that knew no other separator took the whole name for the
// key, and the flags for none. The file is known by its key now, and that of the record is gone.
func TestKeyOfOlderVersion(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Mark(2))
	f.put(mail, "INBOX", "cur", "k!2,S")
	old := record(state.LocalMessage{Key: "k!2,S", Content: contentOf(mail)})
	delta := f.scan("INBOX", old)
	if len(delta.Missing) != 1 || len(delta.New) != 1 || delta.New[0].Key != "k" || delta.New[0].Flags != state.Seen {
		t.Errorf("%+v, want the old key missing and the file new", delta)
	}
	found, err := f.Find(t.Context(), []state.Key{"k!2,S", "k"})
	f.ok(err)
	if len(found) != 1 || found[0].File.Key != "k" {
		t.Errorf("%+v, want the file by its own key", found)
	}
}

// TestSeparatorInTheHoldArea: files that are moved there keep the tree's separator, since
// it may lie on the same disk.
func TestSeparatorInTheHoldArea(t *testing.T) {
	f := newFixture(t, func(o *maildir.Options) { o.Separator = maildir.SeparatorSemicolon })
	m := f.deliver("INBOX", mail, state.Seen)
	held, err := f.Remove(t.Context(), "INBOX", record(m), "test")
	f.ok(err)
	kept, err := f.Keep(t.Context(), state.Held{Mailbox: "INBOX", Flags: state.Flagged}, incoming(mail, 0))
	f.ok(err)
	if !strings.HasSuffix(held.Path, ";2,S") || !strings.HasSuffix(kept.Path, ";2,F") {
		t.Errorf("they lie at %q and %q", held.Path, kept.Path)
	}
}

func TestUnknownSeparator(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Close())
	for _, separator := range []maildir.Separator{"_", ":2,", "::"} {
		_, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold, Separator: separator})
		wantCause(t, err, state.CauseConfig)
	}
}
