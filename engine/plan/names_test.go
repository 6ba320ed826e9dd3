package plan_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// listing is what server, tree and state have, with names "." for levels on the
// server and "/" in the tree.
func listing(rename map[string]string, remote []string, folders ...string) plan.Listing {
	l := plan.Listing{Rename: rename, Now: 1, Wanted: func(string, rune, state.Role) bool { return true }}
	for _, name := range remote {
		r := state.RemoteMailbox{Name: name, Delimiter: '.'}
		if name == "Sent Items" {
			r.Role = state.RoleSent
		}
		l.Remote = append(l.Remote, r)
	}
	for _, path := range folders {
		l.Folders = append(l.Folders, folderAt(path))
	}
	return l
}

// places returns "mailbox=folder" for all that can be synced; a folder that is to
// be made stands in parentheses, with a caret before each level that is kept apart.
func places(m plan.Matched) []string {
	var list []string
	for _, mb := range m.Mailboxes {
		folder := mb.Folder
		if folder == "" {
			folder = "(" + spelt(mb.Levels, mb.Apart) + ")"
		}
		if mb.NewMailbox {
			folder += "+"
		}
		list = append(list, mb.Name+"="+folder)
	}
	return list
}

// spelt is the path of a folder in these tests.
func spelt(levels []string, apart state.LevelSet) string {
	parts := slices.Clone(levels)
	for i := range parts {
		if apart.Has(i) {
			parts[i] = "^" + parts[i]
		}
	}
	return strings.Join(parts, "/")
}

// folderAt is the folder of such a path, with a marker.
func folderAt(path string) state.LocalFolder {
	f := state.LocalFolder{Path: path, Name: strings.Split(path, "/"), Marker: "id of " + path}
	for i, level := range f.Name {
		if plain, is := strings.CutPrefix(level, "^"); is {
			f.Name[i], f.Apart = plain, f.Apart.With(i)
		}
	}
	return f
}

func TestRename(t *testing.T) {
	names := map[string]string{`\Sent`: "out/sent", "Lists.go": "golang"}
	for _, test := range []struct {
		name     string
		rename   map[string]string
		remote   []string
		folders  []string
		want     []string
		problems int
	}{
		{
			"by name and by role", names,
			[]string{"INBOX", "Lists.go", "Lists.rust", "Sent Items"},
			nil,
			[]string{"INBOX=(INBOX)", "Lists.go=(golang)", "Lists.rust=(Lists/rust)", "Sent Items=(out/sent)"},
			0,
		},
		{
			"folders that are there", names,
			[]string{"INBOX", "Lists.go", "Sent Items"},
			[]string{"golang", "out/sent"},
			[]string{"INBOX=(INBOX)", "Lists.go=golang", "Sent Items=out/sent"},
			0,
		},
		{
			"a name counts more than a role",
			map[string]string{`\Sent`: "a", "Sent Items": "b"},
			[]string{"INBOX", "Sent Items"},
			nil,
			[]string{"INBOX=(INBOX)", "Sent Items=(b)"},
			0,
		},
		{
			"into a folder of another mailbox",
			map[string]string{"Sent Items": "Sent"},
			[]string{"INBOX", "Sent", "Sent Items"},
			nil,
			[]string{"INBOX=(INBOX)"},
			1,
		},
		{
			"a folder with the mailbox's own name", names,
			[]string{"INBOX", "Lists.go"},
			[]string{"Lists/go"},
			[]string{"INBOX=(INBOX)", "Lists.go=(golang)"},
			1,
		},
		{
			"a mailbox that is to be made", names,
			[]string{"INBOX"},
			[]string{"golang"},
			[]string{"INBOX=(INBOX)", "Lists.go=golang+"},
			0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := plan.Match(listing(test.rename, test.remote, test.folders...))
			if got := places(m); !slices.Equal(got, test.want) {
				t.Errorf("mailboxes are %q, want %q", got, test.want)
			}
			if len(m.Problems) != test.problems {
				t.Errorf("problems are %+v, want %d", m.Problems, test.problems)
			}
		})
	}
}

// TestRenameFolded: only mailboxes of the very same folder are refused. Names that differ
// in case only have a folder each, on any disk.
func TestRenameFolded(t *testing.T) {
	for _, test := range []struct {
		name            string
		rename          map[string]string
		remote, folders []string
		plain, folded   []string
		problems        int
	}{
		{
			"two new mailboxes",
			map[string]string{"Work": "Jobs"},
			[]string{"INBOX", "Work", "jobs"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(Jobs)", "jobs=(jobs)"},
			[]string{"INBOX=(INBOX)", "Work=(Jobs)", "jobs=(^jobs)"},
			0,
		},
		{
			"beside a folder",
			map[string]string{"Work": "Jobs"},
			[]string{"INBOX", "Work", "jobs"},
			[]string{"jobs"},
			[]string{"INBOX=(INBOX)", "Work=(Jobs)", "jobs=jobs"},
			[]string{"INBOX=(INBOX)", "Work=(^Jobs)", "jobs=jobs"},
			0,
		},
		{
			"folders that are there",
			map[string]string{"Work": "Jobs"},
			[]string{"INBOX", "Work", "jobs"},
			[]string{"^Jobs", "jobs"},
			[]string{"INBOX=(INBOX)", "Work=^Jobs", "jobs=jobs"},
			[]string{"INBOX=(INBOX)", "Work=^Jobs", "jobs=jobs"},
			0,
		},
		{
			"two other names",
			map[string]string{"a": "Jobs", "b": "jobs"},
			[]string{"INBOX", "a", "b"},
			nil,
			[]string{"INBOX=(INBOX)", "a=(Jobs)", "b=(jobs)"},
			[]string{"INBOX=(INBOX)", "a=(Jobs)", "b=(^jobs)"},
			0,
		},
		{
			"the same name",
			map[string]string{"Work": "jobs"},
			[]string{"INBOX", "Work", "jobs"},
			nil,
			[]string{"INBOX=(INBOX)"},
			[]string{"INBOX=(INBOX)"},
			1,
		},
		{
			"INBOX is one name",
			map[string]string{"Work": "inbox/a"},
			[]string{"INBOX", "INBOX.a", "Work"},
			nil,
			[]string{"INBOX=(INBOX)"},
			[]string{"INBOX=(INBOX)"},
			1,
		},
		{
			"a slash in a level is no separator",
			map[string]string{"Work": "a/b"},
			[]string{"INBOX", "Work", "a/b"},
			nil,
			[]string{"INBOX=(INBOX)", "Work=(a/b)", "a/b=(a/b)"},
			[]string{"INBOX=(INBOX)", "Work=(a/b)", "a/b=(a/b)"},
			0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(test.rename, test.remote, test.folders...)
			for _, folds := range []bool{false, true} {
				want := test.plain
				if l.FoldsCase = folds; folds {
					want = test.folded
				}
				m := plan.Match(l)
				if got := places(m); !slices.Equal(got, want) || len(m.Problems) != test.problems {
					t.Errorf("folds %v: mailboxes are %q, want %q; problems %+v, want %d", folds, got, want, m.Problems, test.problems)
				}
			}
		})
	}
	l := listing(map[string]string{"Work": "a/b"}, []string{"INBOX", "Work", "a/b"})
	l.Folders = []state.LocalFolder{{Path: "a%2Fb", Name: []string{"a/b"}, Marker: "x"}}
	m := plan.Match(l)
	if got, want := places(m), []string{"INBOX=(INBOX)", "Work=(a/b)", "a/b=a%2Fb"}; !slices.Equal(got, want) || len(m.Problems) > 0 {
		t.Errorf("mailboxes are %q, want %q; problems %+v", got, want, m.Problems)
	}
}

// TestRenameLater: a mailbox that has its folder already stays there, which is
// said, until the user has renamed the folder.
func TestRenameLater(t *testing.T) {
	l := listing(map[string]string{`\Sent`: "sent"}, []string{"INBOX", "Sent Items"}, "Sent Items")
	l.Known = []state.Mailbox{{Name: "Sent Items", Folder: "Sent Items", Marker: "id of Sent Items"}}
	m := plan.Match(l)
	if got := places(m); !slices.Contains(got, "Sent Items=Sent Items") || len(m.Problems) != 1 || m.Problems[0].Hint == "" {
		t.Errorf("mailboxes are %q, problems %+v; want the old folder and a word about it", got, m.Problems)
	}
	l.Folders = []state.LocalFolder{{Path: "sent", Name: []string{"sent"}, Marker: "id of Sent Items"}}
	m = plan.Match(l)
	if got := places(m); !slices.Contains(got, "Sent Items=sent") || len(m.Problems)+len(m.Holds) != 0 {
		t.Errorf("mailboxes are %q, problems %+v, holds %+v; want the renamed folder", got, m.Problems, m.Holds)
	}
	if len(m.Moved) != 1 || m.Moved[0].Folder != "sent" {
		t.Errorf("noted are %+v, want the new folder", m.Moved)
	}
	// Nobody is told to rename a folder to what the disk takes for another one.
	for _, test := range []struct{ to, hint string }{{"Jobs", `"jobs" is in the way`}, {"work", "rename the folder"}} {
		l = listing(map[string]string{"Work": test.to}, []string{"INBOX", "Work", "jobs"}, "Work", "jobs")
		l.Known = []state.Mailbox{{Name: "Work", Folder: "Work", Marker: "id of Work"}, {Name: "jobs", Folder: "jobs", Marker: "id of jobs"}}
		l.FoldsCase = true
		m = plan.Match(l)
		if got := places(m); !slices.Contains(got, "Work=Work") || len(m.Problems) != 1 || !strings.Contains(string(m.Problems[0].Hint), test.hint) {
			t.Errorf("to %q: mailboxes are %q, problems %+v; want the old folder and %q", test.to, got, m.Problems, test.hint)
		}
	}
}
