package maildir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// TestScanShowsStrays: what is not understood is told of with all that is known of it,
// because it may be a message that is missing elsewhere.
func TestScanShowsStrays(t *testing.T) {
	f := newFixture(t, later)
	for _, name := range []string{".hidden:2,S", ":2,S", "k~", "#k#", ".#k", "27.sync-conflict-20240101-120000-ABCDEFG.z:2,S", "dovecot-x:2,S"} {
		f.put(mail, f.inbox, "cur", name)
	}
	f.put("", f.inbox, "new", "empty")
	got := f.scan(f.inbox)
	if len(got.New) != 1 || got.New[0].Key != "dovecot-x" || got.Stamp != (state.FolderStamp{}) || len(got.Problems) != len(got.Strays) {
		t.Errorf("new %+v, stamp %v, problems %+v", got.New, got.Stamp, got.Problems)
	}
	leftover, readable := 0, 0
	marks := map[string]bool{}
	for _, s := range got.Strays {
		marks[s.Mark] = true
		if s.Leftover {
			leftover++
		}
		if s.Readable() && s.Content == contentOf(mail) {
			readable++
		}
	}
	if leftover != 4 || readable != 6 || len(marks) != 7 {
		t.Errorf("%d leftovers, %d readable, marks %v", leftover, readable, marks)
	}
	if diff := cmp.Diff(got, f.scan(f.inbox)); diff != "" {
		t.Errorf("another scan: %s", diff)
	}
	f.put("y", f.inbox, "new", "empty")
	f.rename("INBOX/new/empty", "INBOX/new/.empty")
	for _, s := range f.scan(f.inbox).Strays {
		if s.Path == "INBOX/new/.empty" && marks[s.Mark] {
			t.Error("a file with another content has the same mark")
		}
	}
}

// TestStrayPlaces: what lies in directories that are left out can be read, for it may be
// mail that is missing elsewhere; and it can be told whether anything has happened there.
func TestStrayPlaces(t *testing.T) {
	f := newFixture(t, later)
	outside := t.TempDir()
	f.ok(os.MkdirAll(filepath.Join(outside, "deep", "cur"), 0o700))
	f.ok(os.Symlink(outside, f.path("Linked")))
	for _, dir := range []string{"cur", "Half/new"} {
		f.ok(os.MkdirAll(f.path(dir), 0o700))
	}
	f.put(mail, "cur", "a:2,S")
	f.put("", "Half/new/b")
	f.ok(os.WriteFile(filepath.Join(outside, "deep", "cur", "c"), []byte(mail), 0o600))
	places := func() (list []state.StrayPlace) {
		_, leftOut, err := f.Folders(t.Context())
		f.ok(err)
		for _, l := range leftOut {
			list = append(list, l.Place)
		}
		slices.SortFunc(list, func(a, b state.StrayPlace) int { return strings.Compare(a.Path, b.Path) })
		return list
	}
	before := places()
	if len(before) != 3 || before[0].Path != "" || before[1].Path != "Half" || before[2] != (state.StrayPlace{Path: "Linked", Mark: before[2].Mark, Deep: true}) {
		t.Fatalf("places are %+v", before)
	}
	strays, err := f.Strays(t.Context(), before)
	f.ok(err)
	var got []string
	for _, s := range strays {
		got = append(got, fmt.Sprintf("%s %s %v", s.Path, s.Key, s.Readable()))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"Half/new/b b false", "Linked/deep/cur/c c true", "cur/a:2,S a true"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, places()); diff != "" || before[1].Mark == "" {
		t.Errorf("nothing happened, and the marks differ: %s", diff)
	}
	f.rename("cur/a:2,S", "Half/new/a")
	after := places()
	if after[0].Mark == before[0].Mark || after[1].Mark == before[1].Mark || after[2] != before[2] {
		t.Errorf("a file was moved: %+v, %+v", before, after)
	}
	if strays, err := f.Strays(t.Context(), []state.StrayPlace{{Path: "Gone", Mark: "1"}}); err != nil || len(strays) != 1 || strays[0].Readable() {
		t.Errorf("a place that is gone: %+v, %v", strays, err)
	}
}
