package maildir_test

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	gomaildir "github.com/emersion/go-maildir"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// A program that uses go-maildir reads what we deliver.
func TestGoMaildirReadsOurs(t *testing.T) {
	f := newFixture(t)
	m := f.deliver(f.inbox, mail, state.Seen|state.Flagged)
	f.deliver(f.inbox, mail, 0)
	d := gomaildir.Dir(f.path(f.inbox))
	n, err := d.UnseenCount()
	if n != 1 || err != nil {
		t.Errorf("%d unseen, %v", n, err)
	}
	got, err := d.MessageByKey(string(m.Key))
	f.ok(err)
	if diff := cmp.Diff([]gomaildir.Flag{gomaildir.FlagFlagged, gomaildir.FlagSeen}, got.Flags()); diff != "" {
		t.Error(diff)
	}
	in, err := got.Open()
	f.ok(err)
	defer in.Close()
	body, err := io.ReadAll(in)
	if string(body) != strings.ReplaceAll(mail, "\r\n", "\n") || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// We follow everything that such a program does.
func TestWeReadGoMaildir(t *testing.T) {
	f := newFixture(t)
	d := gomaildir.Dir(f.path(f.inbox))
	m, w, err := d.Create([]gomaildir.Flag{gomaildir.FlagReplied})
	f.ok(err)
	_, err = io.WriteString(w, mail)
	f.ok(err)
	f.ok(w.Close())
	added := f.scan(f.inbox).New
	if len(added) != 1 || string(added[0].Key) != m.Key() || added[0].Flags != state.Answered || added[0].Content != contentOf(mail) {
		t.Fatalf("%+v", added)
	}
	r := record(added[0])
	f.ok(m.SetFlags([]gomaildir.Flag{gomaildir.FlagSeen, gomaildir.FlagTrashed}))
	changed := f.scan(f.inbox, r).Changed
	if len(changed) != 1 || changed[0].Now.Flags != state.Seen|state.Trashed {
		t.Fatalf("%+v", changed)
	}
	archive := f.folder("Archive")
	f.ok(m.MoveTo(gomaildir.Dir(f.path(archive))))
	if got := f.scan(f.inbox, r); len(got.Missing) != 1 {
		t.Errorf("%+v", got)
	}
	if got := f.scan(archive); len(got.New) != 1 || got.New[0].Stat.Inode != r.Stat.Inode {
		t.Errorf("%+v", got)
	}
}

// go-maildir shows three of these files and spoils the info of one when it sets
// flags. To us all are messages.
func TestOddNamesAreMessages(t *testing.T) {
	f := newFixture(t)
	names := []string{"1.plain.h:2,S", "2.none.h:2,", "3.noinfo.h", "4.experimental.h:1,x", "5.version.h:3,S", "6.tail.h:2,S,foo", "7.colon:x.h:2,F"}
	for _, name := range names {
		f.put(mail, f.inbox, "cur", name)
	}
	delta := f.scan(f.inbox)
	if len(delta.New) != len(names) || len(delta.Problems) != 0 {
		t.Fatalf("%+v", delta)
	}
	for _, m := range delta.New {
		_, err := f.SetFlags(t.Context(), f.inbox, m.Key, m.Flags, m.Flags|state.Seen)
		f.ok(err)
		back, err := f.SetFlags(t.Context(), f.inbox, m.Key, m.Flags|state.Seen, m.Flags)
		if err != nil || back.Stat != m.Stat {
			t.Errorf("%+v, %v", back, err)
		}
	}
	want := slices.Clone(names)
	want[2], want[3], want[4] = "3.noinfo.h:2,", "4.experimental.h:1,x:2,", "5.version.h:3,S:2,"
	entries, err := os.ReadDir(f.path(f.inbox, "cur"))
	f.ok(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
