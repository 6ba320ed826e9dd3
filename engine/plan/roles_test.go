package plan_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// marks are mailboxes as the server lists them, written "Name=\Role", or just "Name".
func marks(list ...string) []state.RemoteMailbox {
	var remote []state.RemoteMailbox
	for _, text := range list {
		name, attr, _ := strings.Cut(text, "=")
		m := state.RemoteMailbox{Name: name, Delimiter: '.'}
		for role := range state.RoleTrash + 1 {
			if role.String() == attr {
				m.Role = role
			}
		}
		remote = append(remote, m)
	}
	return remote
}

// rolesIn are the roles that mailboxes have, written "Name=\Role", with a question mark
// where the name alone tells it.
func rolesIn(m plan.Matched) []string {
	var list []string
	for _, mb := range m.Mailboxes {
		if mb.Role == state.RoleNone || mb.Role == state.RoleInbox {
			continue
		}
		text := mb.Name + "=" + mb.Role.String()
		if mb.Guessed {
			text += "?"
		}
		list = append(list, text)
	}
	return list
}

// TestRoles: a role that no mailbox is marked with belongs to the mailbox of the usual
// name, role by role. A server that marked Sent alone had no Trash before: what was
// deleted went for good.
func TestRoles(t *testing.T) {
	own := state.Namespaces{Personal: spaces("")}
	for _, test := range []struct {
		name   string
		spaces state.Namespaces
		remote []string
		user   map[state.Role]string
		last   string
		want   []string
		trash  string // in parentheses if it is not there
	}{
		{
			"only Sent is marked", own,
			[]string{"INBOX", `Sent=\Sent`, "Trash", "Drafts"},
			nil, "",
			[]string{`Drafts=\Drafts?`, `Sent=\Sent`, `Trash=\Trash?`},
			"Trash",
		},
		{
			"a mark counts more than a name", own,
			[]string{"INBOX", "Trash", `Bin=\Trash`},
			nil, "",
			[]string{`Bin=\Trash`},
			"Bin",
		},
		{
			"what has another mark is not meant", own,
			[]string{"INBOX", `Trash=\Junk`, "Bin"},
			nil, "",
			[]string{`Bin=\Trash?`, `Trash=\Junk`},
			"Bin",
		},
		{
			"the user counts more than both", own,
			[]string{"INBOX", `Trash=\Trash`, "Old", "Sent"},
			map[state.Role]string{state.RoleTrash: "Old", state.RoleSent: "Old.sent"},
			"",
			[]string{`Old=\Trash`},
			"Old",
		},
		{
			"the user's may be marked for something else", own,
			[]string{"INBOX", `Old=\Junk`, "Spam"},
			map[state.Role]string{state.RoleTrash: "Old"},
			"",
			[]string{`Old=\Trash`, `Spam=\Junk?`},
			"Old",
		},
		{
			"the user's is not there", own,
			[]string{"INBOX", `Trash=\Trash`},
			map[state.Role]string{state.RoleTrash: "Papierkrob"},
			"", nil, "(Papierkrob)",
		},
		{
			"the likeliest name, in any case", own,
			[]string{"INBOX", "deleted items", "TRASH", "Papierkorb"},
			nil, "",
			[]string{`TRASH=\Trash?`},
			"TRASH",
		},
		{
			"other languages", own,
			[]string{"INBOX", "PAPIERKORB", "entwürfe", "Gesendete Elemente", "Archiv", "Spamverdacht"},
			nil, "",
			[]string{`Archiv=\Archive?`, `Gesendete Elemente=\Sent?`, `PAPIERKORB=\Trash?`, `Spamverdacht=\Junk?`, `entwürfe=\Drafts?`},
			"PAPIERKORB",
		},
		{
			"other scripts", own,
			[]string{"INBOX", "КОРЗИНА", "下書き"},
			nil, "",
			[]string{`КОРЗИНА=\Trash?`, `下書き=\Drafts?`},
			"КОРЗИНА",
		},
		{"below INBOX", own, []string{"INBOX", "INBOX.Trash", "Lists.Drafts"}, nil, "", []string{`INBOX.Trash=\Trash?`}, "INBOX.Trash"},
		{
			"below INBOX, on a server that does not tell its namespaces",
			state.Namespaces{},
			[]string{"INBOX", "INBOX.Trash"},
			nil, "",
			[]string{`INBOX.Trash=\Trash?`},
			"INBOX.Trash",
		},
		{"the shorter of two", own, []string{"INBOX", "INBOX.Trash", "Trash"}, nil, "", []string{`Trash=\Trash?`}, "Trash"},
		{
			"Gmail behind something that hides marks", own,
			[]string{"INBOX", "[Gmail].Papierkorb", "[Gmail].All Mail"},
			nil, "",
			[]string{`[Gmail].Papierkorb=\Trash?`},
			"[Gmail].Papierkorb",
		},
		{
			"never a mailbox of others",
			state.Namespaces{Personal: spaces("INBOX."), Shared: spaces("")},
			[]string{"INBOX", "Trash", "Drafts"},
			nil, "", nil, "",
		},
		{"a prefix that all have", courier(), []string{"INBOX", "INBOX.Trash", "shared.Drafts"}, nil, "", []string{`INBOX.Trash=\Trash?`}, "INBOX.Trash"},
		{
			"the user may leave the prefix out", courier(),
			[]string{"INBOX", "INBOX.Old.Bin"},
			map[state.Role]string{state.RoleTrash: "Old/Bin"},
			"",
			[]string{`INBOX.Old.Bin=\Trash`},
			"INBOX.Old.Bin",
		},
		{"nothing is left out on a guess", own, []string{"INBOX", "All Mail", "Starred", "Important"}, nil, "", nil, ""},
		{
			"what was Trash stays Trash when it loses its mark", own,
			[]string{"INBOX", "Zerlegt", "Trash"},
			nil, "Zerlegt",
			[]string{`Zerlegt=\Trash?`},
			"Zerlegt",
		},
		{"a mark takes it away", own, []string{"INBOX", "Trash", `Bin=\Trash`}, nil, "Trash", []string{`Bin=\Trash`}, "Bin"},
		{"of two marked ones the same as before", own, []string{"INBOX", `A=\Trash`, `B=\Trash`}, nil, "B", []string{`A=\Trash`, `B=\Trash`}, "B"},
		{"another takes its place when it is gone", own, []string{"INBOX", "Trash"}, nil, "Bin", []string{`Trash=\Trash?`}, "Trash"},
		{"gone, and no other is there", own, []string{"INBOX", "Archive"}, nil, "Bin", []string{`Archive=\Archive?`}, "(Bin)"},
		{"there never was one", own, []string{"INBOX", "Lists"}, nil, "", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listing(nil, nil)
			l.Remote, l.Spaces, l.Roles, l.LastTrash = marks(test.remote...), test.spaces, test.user, test.last
			before := slices.Clone(l.Remote)
			m := plan.Match(l)
			if got := rolesIn(m); !slices.Equal(got, test.want) {
				t.Errorf("roles are %q, want %q", got, test.want)
			}
			trash := m.Trash
			if m.TrashGone {
				trash = "(" + trash + ")"
			}
			if trash != test.trash {
				t.Errorf("Trash is %q, want %q", trash, test.trash)
			}
			if !slices.Equal(l.Remote, before) {
				t.Error("the server's list was changed")
			}
		})
	}
}

// TestRoleOfWhatIsMissing: a mailbox that the user gives a role and that is not there
// is said, unless its folder is, from which it will be made.
func TestRoleOfWhatIsMissing(t *testing.T) {
	l := listing(nil, []string{"INBOX", "Sent Items"}, "Lists/Bin")
	l.Roles = map[state.Role]string{state.RoleTrash: "Lists/Bin", state.RoleDrafts: "Concepten"}
	m := plan.Match(l)
	if len(m.Problems) != 1 || !strings.Contains(string(m.Problems[0].Text), "Concepten") {
		t.Errorf("problems are %+v, want one about the mailbox that is not there", m.Problems)
	}
	if m.Trash != "Lists.Bin" || m.TrashGone {
		t.Errorf("Trash is %q (gone: %v), want the one that will be made", m.Trash, m.TrashGone)
	}
}

// TestTrashIsBeingMade: what is deleted in the very run that makes Trash from its
// folder must not go for good.
func TestTrashIsBeingMade(t *testing.T) {
	m := plan.Match(listing(nil, []string{"INBOX", "Sent Items"}, "Papierkorb", "Other"))
	if m.Trash != "Papierkorb" || m.TrashGone {
		t.Errorf("Trash is %q (gone: %v), want the one that will be made", m.Trash, m.TrashGone)
	}
	if got, want := rolesIn(m), []string{`Papierkorb=\Trash?`, `Sent Items=\Sent`}; !slices.Equal(got, want) {
		t.Errorf("roles are %q, want %q", got, want)
	}
}

// TestGuessMakesNothingFinal: whatever a guess says, no removal becomes final by it, no
// body is thrown away for it, and no limit is wider for a final removal.
func TestGuessMakesNothingFinal(t *testing.T) {
	for _, trash := range []string{"", "Box", "Other"} {
		for _, guessed := range []bool{false, true} {
			mb := plan.Mailbox{
				Name: "Box", Folder: "Box", Paired: 30, Local: &state.LocalDelta{Folder: "Box"},
				Remote: &state.RemoteDelta{Mailbox: "Box", Selected: state.Selected{Permanent: state.AllFlags}},
			}
			for uid := range state.UID(30) {
				mb.Local.Missing = append(mb.Local.Missing, state.Record{Mailbox: "Box", UID: uid + 1, Key: state.Key('a' + rune(uid)), State: state.Paired})
			}
			if trash == "Box" {
				mb.Role, mb.Guessed = state.RoleTrash, guessed
			}
			p := plan.Build(plan.Input{Mailboxes: []plan.Mailbox{mb}, Trash: trash, Limits: plan.DefaultLimits()})
			held := len(p.Holds) == 1 && len(p.Ops) == 0
			if want := trash != "Box" || guessed; held != want {
				t.Errorf("Trash %q, guessed %v: held is %v, want %v", trash, guessed, held, want)
			}
			if mb.Discards() != (trash == "Box" && !guessed) {
				t.Errorf("Trash %q, guessed %v: bodies are thrown away: %v", trash, guessed, mb.Discards())
			}
		}
	}
}

// TestTrashGone: a Trash that is gone is waited for. Before, everything that was
// deleted from then on went for good.
func TestTrashGone(t *testing.T) {
	mb := plan.Mailbox{
		Name: "Box", Folder: "Box", Paired: 30,
		Local:  &state.LocalDelta{Folder: "Box", Missing: []state.Record{{Mailbox: "Box", UID: 1, Key: "a", State: state.Paired}}},
		Remote: &state.RemoteDelta{Mailbox: "Box", Selected: state.Selected{Permanent: state.AllFlags}},
	}
	p := plan.Build(plan.Input{Mailboxes: []plan.Mailbox{mb}, Trash: "Trash", TrashGone: true, Limits: plan.DefaultLimits()})
	if len(p.Ops) != 0 || !slices.Contains(p.Open, "Box") {
		t.Errorf("the plan is %+v, open are %q, want nothing to do and Box open", p.Ops, p.Open)
	}
	if len(p.Problems) != 1 || p.Problems[0].Mailbox != "Trash" || p.Problems[0].Hint == "" {
		t.Errorf("problems are %+v, want one about Trash that says what to do", p.Problems)
	}
}
