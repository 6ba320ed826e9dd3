package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/chance"
)

// TestFoldedNames: mailboxes whose names differ in case only have two folders. On a
// disk that takes their names for one, all but one are kept apart.
func TestFoldedNames(t *testing.T) {
	for _, test := range []struct {
		name            string
		remote, folders []string
		known           map[string]string // mailbox: folder
		plain, folded   []string
	}{
		{
			"two new mailboxes, in whichever order",
			[]string{"work", "INBOX", "Work"},
			nil, nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=(work)"},
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=(^work)"},
		},
		{
			"the one that has a folder keeps it",
			[]string{"INBOX", "Work", "work"},
			[]string{"work"},
			map[string]string{"work": "work"},
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=work"},
			[]string{"INBOX=(INBOX)", "Work=(^Work)", "work=work"},
		},
		{
			"one that is kept apart stays so when it is alone",
			[]string{"INBOX", "work", "work.new"},
			[]string{"^work"},
			map[string]string{"work": "^work"},
			[]string{"INBOX=(INBOX)", "work=^work", "work.new=(^work/new)"},
			[]string{"INBOX=(INBOX)", "work=^work", "work.new=(^work/new)"},
		},
		{
			"names of more than one level",
			[]string{"INBOX", "Büro.A", "büro.a", "BÜRO.b", "BÜRO.B"},
			nil, nil,
			[]string{"BÜRO.B=(BÜRO/B)", "BÜRO.b=(BÜRO/b)", "Büro.A=(Büro/A)", "INBOX=(INBOX)", "büro.a=(büro/a)"},
			[]string{"BÜRO.B=(BÜRO/B)", "BÜRO.b=(BÜRO/^b)", "Büro.A=(^Büro/A)", "INBOX=(INBOX)", "büro.a=(^büro/a)"},
		},
		{
			"what lies below goes where the folder is",
			[]string{"INBOX", "Work", "Work.a", "work.a", "work.A"},
			[]string{"Work", "^work/a"},
			map[string]string{"Work": "Work", "work.a": "^work/a"},
			[]string{"INBOX=(INBOX)", "Work=Work", "Work.a=(Work/a)", "work.A=(^work/A)", "work.a=^work/a"},
			[]string{"INBOX=(INBOX)", "Work=Work", "Work.a=(Work/a)", "work.A=(^work/^A)", "work.a=^work/a"},
		},
		{
			"a folder of the same name is the mailbox's",
			[]string{"INBOX", "Work", "work"},
			[]string{"work"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=work"},
			[]string{"INBOX=(INBOX)", "Work=(^Work)", "work=work"},
		},
		{
			"without the state all folders are those of their mailboxes",
			[]string{"INBOX", "Work", "work", "WORK"},
			[]string{"WORK", "^Work", "^work"},
			nil,
			[]string{"INBOX=(INBOX)", "WORK=WORK", "Work=^Work", "work=^work"},
			[]string{"INBOX=(INBOX)", "WORK=WORK", "Work=^Work", "work=^work"},
		},
		{
			"a folder that was made apart by hand is the mailbox's",
			[]string{"INBOX", "Work", "work"},
			[]string{"Work", "^work"},
			map[string]string{"Work": "Work"},
			[]string{"INBOX=(INBOX)", "Work=Work", "work=^work"},
			[]string{"INBOX=(INBOX)", "Work=Work", "work=^work"},
		},
		{
			"and can be a new mailbox",
			[]string{"INBOX", "Work"},
			[]string{"^work"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=^work+"},
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=^work+"},
		},
		{
			"a new folder is no twin of what goes to a directory that is kept apart",
			[]string{"INBOX", "Work", "work", "work.sub"},
			[]string{"Work", "Work/sub", "^work"},
			map[string]string{"Work": "Work", "work": "^work"},
			[]string{"INBOX=(INBOX)", "Work=Work", "Work.sub=Work/sub+", "work=^work", "work.sub=(^work/sub)"},
			[]string{"INBOX=(INBOX)", "Work=Work", "Work.sub=Work/sub+", "work=^work", "work.sub=(^work/sub)"},
		},
		{
			"INBOX is one name",
			[]string{"INBOX", "INBOX.a", "INBOX.A"},
			nil, nil,
			[]string{"INBOX=(INBOX)", "INBOX.A=(INBOX/A)", "INBOX.a=(INBOX/a)"},
			[]string{"INBOX=(INBOX)", "INBOX.A=(INBOX/A)", "INBOX.a=(INBOX/^a)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(nil, test.remote, test.folders...)
			for name, folder := range test.known {
				l.Known = append(l.Known, state.Mailbox{Name: name, Folder: folder, Marker: "id of " + folder})
			}
			for _, folds := range []bool{false, true} {
				want := test.plain
				if l.FoldsCase = folds; folds {
					want = test.folded
				}
				m := plan.Match(l)
				if got := places(m); !slices.Equal(got, want) || len(m.Problems)+len(m.Holds) > 0 {
					t.Errorf("folds %v: mailboxes are %q, want %q; problems %+v", folds, got, want, m.Problems)
				}
			}
		})
	}
}

// TestFoldedTwins: a folder that somebody made and a mailbox that is new, whose names
// differ in case only, are perhaps meant to be one. Neither is copied to the other
// side as something else before the user has said which.
func TestFoldedTwins(t *testing.T) {
	l := listing(nil, []string{"INBOX", "Work"}, "work")
	if got, want := places(plan.Match(l)), []string{"INBOX=(INBOX)", "Work=(Work)", "work=work+"}; !slices.Equal(got, want) {
		t.Errorf("mailboxes are %q, want %q", got, want)
	}
	l.FoldsCase = true
	m := plan.Match(l)
	if got := places(m); !slices.Equal(got, []string{"INBOX=(INBOX)"}) || len(m.Problems) != 1 || m.Problems[0].Mailbox != "Work" ||
		!strings.Contains(string(m.Problems[0].Hint), "rename") {
		t.Errorf("mailboxes are %q, problems %+v; want a word about Work", got, m.Problems)
	}
	l.Rename = map[string]string{"Work": "another"}
	if got, want := places(plan.Match(l)), []string{"INBOX=(INBOX)", "Work=(another)", "work=work+"}; !slices.Equal(got, want) {
		t.Errorf("renamed: mailboxes are %q, want %q", got, want)
	}
	l = listing(nil, []string{"INBOX", "Work"}, "Work", "^Work")
	l.Known = []state.Mailbox{{Name: "Work", Folder: "Work", Marker: "id of Work"}}
	m = plan.Match(l)
	if got, want := places(m), []string{"INBOX=(INBOX)", "Work=Work"}; !slices.Equal(got, want) || len(m.Problems) != 1 {
		t.Errorf("a second folder of a mailbox: mailboxes are %q, problems %+v; want %q and one about it", got, m.Problems, want)
	}
}

// TestFoldedCopy: of two directories of one name, what is new goes below the one that
// is known, whichever is listed first: the other is perhaps somebody's backup.
func TestFoldedCopy(t *testing.T) {
	for _, test := range []struct{ known, copied, want string }{
		{"Work", "^Work", "Work.sub=(Work/sub)"},
		{"^Work", "Work", "Work.sub=(^Work/sub)"},
	} {
		l := listing(nil, []string{"INBOX", "Work", "Work.sub"}, test.copied, test.known)
		l.Folders[0].Marker = l.Folders[1].Marker
		l.Known = []state.Mailbox{{Name: "Work", Folder: test.known, Marker: l.Folders[1].Marker}}
		for _, l.FoldsCase = range []bool{false, true} {
			m := plan.Match(l)
			if got, want := places(m), []string{"INBOX=(INBOX)", "Work=" + test.known, test.want}; !slices.Equal(got, want) || len(m.Problems) != 1 {
				t.Errorf("folds %v: mailboxes are %q, problems %+v; want %q and one about the copy", l.FoldsCase, got, m.Problems, want)
			}
		}
	}
}

// TestFoldedAnyOrder: whatever comes in whichever order, every mailbox has a folder,
// keeps it, and finds it again when the state is lost. No two directories are one on a
// disk that folds case.
func TestFoldedAnyOrder(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "A", "ab", "aB", "Ab", "AB", "1"})
	chance.Check(t, func(t *rapid.T) {
		var remote, folders []string
		var known []state.Mailbox
		remote = append(remote, "INBOX")
		for round := range rapid.IntRange(1, 5).Draw(t, "rounds") {
			for i := range rapid.IntRange(0, 3).Draw(t, fmt.Sprint("new in ", round)) {
				name := strings.Join(rapid.SliceOfN(level, 1, 3).Draw(t, fmt.Sprint("levels ", round, ".", i)), ".")
				if !slices.Contains(remote, name) {
					remote = append(remote, name)
				}
			}
			l := listing(nil, rapid.Permutation(remote).Draw(t, fmt.Sprint("listed in ", round)), folders...)
			l.FoldsCase = true
			if l.Known = known; rapid.Bool().Draw(t, fmt.Sprint("state lost before ", round)) {
				l.Known = nil
			}
			m := plan.Match(l)
			if len(m.Problems)+len(m.Holds) > 0 || len(m.Mailboxes) != len(remote) {
				t.Fatalf("%q became %q, problems %+v", remote, places(m), m.Problems)
			}
			before := known
			known = nil
			for _, mb := range m.Mailboxes {
				if mb.Folder == "" {
					mb.Folder = spelt(mb.Levels, mb.Apart)
					folders = append(folders, mb.Folder)
				} else if mb.NewMailbox || !slices.ContainsFunc(before, func(k state.Mailbox) bool { return k.Name == mb.Name && k.Folder == mb.Folder }) {
					t.Fatalf("mailbox %q is now kept in folder %q; before: %+v", mb.Name, mb.Folder, before)
				}
				known = append(known, state.Mailbox{Name: mb.Name, Folder: mb.Folder, Marker: "id of " + mb.Folder})
			}
			slices.Sort(folders)
			noneFold(t, folders)
		}
	})
}

// noneFold checks that the disk takes no two directories for one. One that is
// kept apart has a name that is unlike all others.
func noneFold(t *rapid.T, folders []string) {
	seen := make(map[string]string)
	for _, path := range folders {
		parts := strings.Split(path, "/")
		folded := ""
		for i, part := range parts {
			if !strings.HasPrefix(part, "^") {
				part = state.Fold(part)
			}
			folded += "/" + part
			beginning := strings.Join(parts[:i+1], "/")
			if other := seen[folded]; other != "" && other != beginning {
				t.Fatalf("directories %q and %q are one on the disk", other, beginning)
			}
			seen[folded] = beginning
		}
	}
}

// TestClaimsAreOfNames: what stands in a level is no separator, and a folder's path is
// not another one's name.
func TestClaimsAreOfNames(t *testing.T) {
	l := listing(nil, []string{"INBOX", "a/b", "a.b", "a%2Fb"})
	l.Folders = []state.LocalFolder{{Path: "a%2Fb", Name: []string{"a/b"}, Marker: "x"}}
	l.Known = []state.Mailbox{{Name: "a/b", Folder: "a%2Fb", Marker: "x"}}
	m := plan.Match(l)
	want := []string{"INBOX=(INBOX)", "a%2Fb=(a%2Fb)", "a.b=(a/b)", "a/b=a%2Fb"}
	if got := places(m); !slices.Equal(got, want) || len(m.Problems) > 0 {
		t.Errorf("mailboxes are %q, want %q; problems %+v", got, want, m.Problems)
	}
}

// TestClaimOfAFolderThatIsGone: the folder may come back, and is no other mailbox's.
func TestClaimOfAFolderThatIsGone(t *testing.T) {
	l := listing(nil, []string{"INBOX", "Lists", "Old"})
	l.Known = []state.Mailbox{{Name: "Lists", Folder: "Old", Marker: "x"}}
	m := plan.Match(l)
	if got := places(m); slices.Contains(got, "Old=(Old)") || len(m.Problems) != 1 || m.Problems[0].Mailbox != "Old" {
		t.Errorf("mailboxes are %q, problems %+v; want that Old is left out", got, m.Problems)
	}
	// Nor does a name that the disk takes for it become a plain one.
	l = listing(nil, []string{"INBOX", "WORK", "Work", "old"})
	l.FoldsCase = true
	l.Known = []state.Mailbox{{Name: "Work", Folder: "Work", Marker: "x"}, {Name: "WORK", Folder: "Old", Marker: "y"}}
	m = plan.Match(l)
	if got := places(m); !slices.Contains(got, "old=(^old)") || len(m.Holds) != 2 || len(m.Problems) != 0 {
		t.Errorf("mailboxes are %q, holds %+v, problems %+v; want old kept apart", got, m.Holds, m.Problems)
	}
	// Its path need not look like its name.
	l = listing(nil, []string{"INBOX", "WORK", "Work"})
	l.FoldsCase = true
	l.Known = []state.Mailbox{{Name: "Work", Folder: ".Work", Marker: "x"}}
	m = plan.Match(l)
	if got := places(m); !slices.Contains(got, "WORK=(^WORK)") || len(m.Holds) != 1 || len(m.Problems) != 0 {
		t.Errorf("mailboxes are %q, holds %+v, problems %+v; want WORK kept apart", got, m.Holds, m.Problems)
	}
	// Nor is it the name of another mailbox when it is escaped.
	l = listing(nil, []string{"INBOX", "work", "%77ork"})
	l.Known = []state.Mailbox{{Name: "work", Folder: "%77ork", Marker: "x"}}
	m = plan.Match(l)
	if got := places(m); !slices.Contains(got, "%77ork=(%77ork)") || len(m.Holds) != 1 || len(m.Problems) != 0 {
		t.Errorf("mailboxes are %q, holds %+v, problems %+v; want a folder for %%77ork", got, m.Holds, m.Problems)
	}
}

// TestForeignNames: a folder whose name another program left in modified UTF-7 is that of
// the mailbox that the server lists, and of no other.
func TestForeignNames(t *testing.T) {
	for _, test := range []struct {
		name     string
		remote   []string
		folders  []string
		want     []string
		problems int
	}{
		{
			"on the server",
			[]string{"INBOX", "Entwürfe", "Büro.A&B"},
			[]string{"Entw&APw-rfe", "B&APw-ro/A&-B"},
			[]string{"Büro.A&B=B&APw-ro/A&-B", "Entwürfe=Entw&APw-rfe", "INBOX=(INBOX)"},
			0,
		},
		{
			"the mailbox above it is on the server",
			[]string{"INBOX", "Büro"},
			[]string{"B&APw-ro", "B&APw-ro/neu"},
			[]string{"Büro=B&APw-ro", "Büro.neu=B&APw-ro/neu+", "INBOX=(INBOX)"},
			0,
		},
		{
			"not on the server",
			[]string{"INBOX"},
			[]string{"Tom&Leo-Trip"},
			[]string{"INBOX=(INBOX)", "Tom&Leo-Trip=Tom&Leo-Trip+"},
			0,
		},
		{
			"on the server under both names",
			[]string{"INBOX", "Entwürfe", "Entw&APw-rfe"},
			[]string{"Entw&APw-rfe"},
			[]string{"Entw&APw-rfe=Entw&APw-rfe", "Entwürfe=(Entwürfe)", "INBOX=(INBOX)"},
			0,
		},
		{
			"in the tree under both names",
			[]string{"INBOX", "Entwürfe"},
			[]string{"Entwürfe", "Entw&APw-rfe"},
			[]string{"Entwürfe=Entwürfe", "INBOX=(INBOX)"},
			1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(nil, test.remote, test.folders...)
			for i, f := range l.Folders {
				decoded := strings.NewReplacer("&APw-", "ü", "&Leo-", "\u2dea", "&-", "&").Replace(f.Path)
				if decoded != f.Path {
					l.Folders[i].Foreign = strings.Split(decoded, "/")
				}
			}
			m := plan.Match(l)
			if got := places(m); !slices.Equal(got, test.want) || len(m.Problems) != test.problems {
				t.Errorf("mailboxes are %q, want %q; problems %+v", got, test.want, m.Problems)
			}
		})
	}
}
