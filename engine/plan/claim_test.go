package plan_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// TestFoldedNames: mailboxes whose names differ in case only have two folders, or
// one of them is left out, which depends on the disk alone.
func TestFoldedNames(t *testing.T) {
	for _, test := range []struct {
		name            string
		remote, folders []string
		known           []string
		plain, folded   []string
		about           string // mailbox that the problem on the disk that folds is about
	}{
		{
			"two new mailboxes",
			[]string{"INBOX", "Work", "work"},
			nil, nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=(work)"},
			[]string{"INBOX=(INBOX)", "Work=(Work)"},
			"work",
		},
		{
			"the one that has a folder keeps it",
			[]string{"INBOX", "Work", "work"},
			[]string{"work"},
			[]string{"work"},
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=work"},
			[]string{"INBOX=(INBOX)", "work=work"},
			"Work",
		},
		{
			"names of more than one level",
			[]string{"INBOX", "Büro.A", "büro.a", "BÜRO.b"},
			nil, nil,
			[]string{"BÜRO.b=(BÜRO/b)", "Büro.A=(Büro/A)", "INBOX=(INBOX)", "büro.a=(büro/a)"},
			[]string{"BÜRO.b=(BÜRO/b)", "Büro.A=(Büro/A)", "INBOX=(INBOX)"},
			"büro.a",
		},
		{
			"a folder and a mailbox that are both new",
			[]string{"INBOX", "Work"},
			[]string{"work"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=work+"},
			[]string{"INBOX=(INBOX)"},
			"Work",
		},
		{
			"a folder of the same name is the mailbox's",
			[]string{"INBOX", "Work", "work"},
			[]string{"work"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(Work)", "work=work"},
			[]string{"INBOX=(INBOX)", "work=work"},
			"Work",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(nil, test.remote, test.folders...)
			for _, name := range test.known {
				l.Known = append(l.Known, state.Mailbox{Name: name, Folder: name, Marker: "id of " + name})
			}
			m := plan.Match(l)
			if got := places(m); !slices.Equal(got, test.plain) || len(m.Problems)+len(m.Holds) > 0 {
				t.Errorf("mailboxes are %q, want %q; problems %+v", got, test.plain, m.Problems)
			}
			l.FoldsCase = true
			m = plan.Match(l)
			if got := places(m); !slices.Equal(got, test.folded) || len(m.Holds) > 0 {
				t.Errorf("on a disk that folds case mailboxes are %q, want %q", got, test.folded)
			}
			if len(m.Problems) != 1 || m.Problems[0].Mailbox != test.about || !strings.Contains(m.Problems[0].Text, "case only") ||
				!strings.Contains(m.Problems[0].Hint, "rename") {
				t.Errorf("problems are %+v, want one about %s, with a hint", m.Problems, test.about)
			}
			// The hint is right.
			l.Rename = map[string]string{test.about: "another"}
			m = plan.Match(l)
			if !slices.Contains(places(m), test.about+"=(another)") || len(m.Problems) > 0 {
				t.Errorf("renamed: mailboxes are %q, problems %+v", places(m), m.Problems)
			}
		})
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
