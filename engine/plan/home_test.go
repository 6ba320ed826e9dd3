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

func spaces(prefixes ...string) []state.Namespace {
	var list []state.Namespace
	for _, prefix := range prefixes {
		list = append(list, state.Namespace{Prefix: prefix, Delimiter: '.'})
	}
	return list
}

// courier is what Courier tells of its namespaces.
func courier() state.Namespaces {
	return state.Namespaces{Personal: spaces("INBOX."), Shared: spaces("#shared.", "shared.")}
}

// TestHome: where all mailboxes have to lie below a prefix, folders do without it
// in both directions.
func TestHome(t *testing.T) {
	for _, test := range []struct {
		name     string
		spaces   state.Namespaces
		remote   []string
		folders  []string
		want     []string
		problems int
	}{
		{
			"both directions", courier(),
			[]string{"INBOX", "INBOX.Trash", "INBOX.Lists.go", "INBOX.Sent"},
			[]string{"Sent", "New", "New/below"},
			[]string{"INBOX=(INBOX)", "INBOX.Lists.go=(Lists/go)", "INBOX.New=New+", "INBOX.New.below=New/below+", "INBOX.Sent=Sent", "INBOX.Trash=(Trash)"},
			0,
		},
		{
			"names that only look like others", courier(),
			[]string{"INBOX", "INBOX.INBOX", "INBOX.inbox.a", "INBOX.shared.a", "shared.a"},
			[]string{"INBOX/INBOX/b", "shared/b", "INBOX/Shared/c"},
			[]string{
				"INBOX=(INBOX)", "INBOX.INBOX=(INBOX/INBOX)", "INBOX.INBOX.b=INBOX/INBOX/b+", "INBOX.Shared.c=INBOX/Shared/c+",
				"INBOX.inbox.a=(INBOX/inbox/a)", "INBOX.shared.a=(INBOX/shared/a)", "shared.a=(shared/a)", "shared.b=shared/b+",
			},
			0,
		},
		{
			"the full name does as well, but not twice", courier(),
			[]string{"INBOX", "INBOX.Lists", "INBOX.Trash"},
			[]string{"INBOX", "INBOX/Lists", "INBOX/Trash", "Trash"},
			[]string{"INBOX=INBOX", "INBOX.Lists=INBOX/Lists", "INBOX.Trash=INBOX/Trash"},
			1,
		},
		{
			"others may lie beside the prefix",
			state.Namespaces{Personal: spaces("INBOX."), Others: spaces("user."), Shared: spaces("")},
			[]string{"INBOX", "INBOX.Lists", "Lists"},
			[]string{"New"},
			[]string{"INBOX=(INBOX)", "INBOX.Lists=(INBOX/Lists)", "Lists=(Lists)", "New=New+"},
			0,
		},
		{
			"no prefix is needed",
			state.Namespaces{Personal: spaces("INBOX.", "")},
			[]string{"INBOX", "INBOX.Lists"},
			[]string{"New"},
			[]string{"INBOX=(INBOX)", "INBOX.Lists=(INBOX/Lists)", "New=New+"},
			0,
		},
		{
			"a second home is not left out of names",
			state.Namespaces{Personal: spaces("INBOX.", "Archive.")},
			[]string{"INBOX", "INBOX.Archive.a", "Archive.a"},
			nil,
			[]string{"Archive.a=(Archive/a)", "INBOX=(INBOX)", "INBOX.Archive.a=(INBOX/Archive/a)"},
			0,
		},
		{
			"a mailbox outside of all namespaces", courier(),
			[]string{"INBOX", "Stray", "Other", "INBOX.Stray"},
			[]string{"Stray", "Other"},
			[]string{"INBOX=(INBOX)", "Other=Other", "Stray=Stray"},
			1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(nil, test.remote, test.folders...)
			l.Spaces = test.spaces
			m := plan.Match(l)
			if got := places(m); !slices.Equal(got, test.want) {
				t.Errorf("mailboxes are %q, want %q", got, test.want)
			}
			if len(m.Problems) != test.problems {
				t.Errorf("problems are %+v, want %d", m.Problems, test.problems)
			}
			for _, mb := range m.Mailboxes {
				if levels := strings.Join(mb.Levels, "/"); mb.Folder != "" && levels != mb.Folder {
					t.Errorf("mailbox %q would have its marker in folder %q, not in %q", mb.Name, levels, mb.Folder)
				}
			}
		})
	}
}

// TestHomeLater: a mailbox that was given a folder before prefixes were left out
// stays there, and nothing else gets its name.
func TestHomeLater(t *testing.T) {
	l := listing(nil, []string{"INBOX", "INBOX.Lists", "INBOX.New"}, "INBOX/Lists", "Lists")
	l.Spaces = courier()
	l.Known = []state.Mailbox{{Name: "INBOX.Lists", Folder: "INBOX/Lists", Marker: "id of INBOX/Lists"}}
	m := plan.Match(l)
	want := []string{"INBOX=(INBOX)", "INBOX.Lists=INBOX/Lists", "INBOX.New=(New)"}
	if got := places(m); !slices.Equal(got, want) {
		t.Errorf("mailboxes are %q, want %q", got, want)
	}
	if len(m.Problems) != 1 || len(m.Holds) != 0 || !strings.Contains(string(m.Problems[0].Text), `"Lists"`) {
		t.Errorf("problems are %+v, holds %+v; want one about the second folder", m.Problems, m.Holds)
	}
}

// TestFolderOfAnother: a mailbox never gets the folder of another one, by
// whatever way that one came to it.
func TestFolderOfAnother(t *testing.T) {
	l := listing(nil, []string{"INBOX", "A", "B"}, "B")
	l.Known = []state.Mailbox{{Name: "A", Folder: "B", Marker: "id of B"}}
	m := plan.Match(l)
	if got := places(m); !slices.Equal(got, []string{"A=B", "INBOX=(INBOX)"}) || len(m.Problems) != 1 {
		t.Errorf("mailboxes are %q, problems %+v; want B left out, which is said", got, m.Problems)
	}
}

// TestHomeBothWays: whatever a server lists inside of its namespaces, no two
// mailboxes get one folder, and the folders stand for the same mailboxes when
// nothing but the tree is left.
func TestHomeBothWays(t *testing.T) {
	level := rapid.SampledFrom([]string{"INBOX", "inbox", "shared", "Shared", "#shared", "a", "b"})
	chance.Check(t, func(t *rapid.T) {
		remote := []string{"INBOX"}
		for i := range rapid.IntRange(0, 8).Draw(t, "mailboxes") {
			levels := rapid.SliceOfN(level, 1, 3).Draw(t, fmt.Sprint("levels ", i))
			name := rapid.SampledFrom([]string{"INBOX.", "shared.", "#shared."}).Draw(t, "prefix") + strings.Join(levels, ".")
			if !slices.Contains(remote, name) {
				remote = append(remote, name)
			}
		}
		l := listing(nil, remote)
		l.Spaces = courier()
		first := plan.Match(l)
		if len(first.Mailboxes) != len(remote) || len(first.Problems) != 0 {
			t.Fatalf("%q became %q with problems %+v", remote, places(first), first.Problems)
		}
		var folders, want []string
		for _, m := range first.Mailboxes {
			folders = append(folders, strings.Join(m.Levels, "/"))
			want = append(want, m.Name+"="+folders[len(folders)-1])
		}
		l = listing(nil, remote, folders...)
		l.Spaces = courier()
		if got := places(plan.Match(l)); !slices.Equal(got, want) {
			t.Fatalf("with the tree alone mailboxes are %q, want %q", got, want)
		}
		l = listing(nil, []string{"INBOX"}, folders...)
		l.Spaces = courier()
		for i := range want {
			if !strings.HasPrefix(want[i], "INBOX=") {
				want[i] += "+"
			}
		}
		if got := places(plan.Match(l)); !slices.Equal(got, want) {
			t.Fatalf("on an empty server mailboxes are %q, want %q", got, want)
		}
	})
}
