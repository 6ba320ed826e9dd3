package plan

import (
	"fmt"
	"slices"
	"testing"

	"mailmoor/state"
)

// TestReplacedDrafts: a reader saves a draft again as a new file and deletes the old
// one. The old version of each of five drafts lay in Trash once for every time that it
// had been saved.
func TestReplacedDrafts(t *testing.T) {
	changed := record("Box", 2)
	const none = state.UID(0)
	for _, c := range []struct {
		name    string
		role    state.Role
		missing []state.UID
		// files are the UIDs of the drafts with whose header fields there are new files; none
		// for other ones.
		files []state.UID
		// flagged is true when the server's message of UID 2 was flagged meanwhile.
		flagged bool
		holds   []state.Hold
		want    []string
	}{
		{"saved again", state.RoleDrafts, []state.UID{2}, []state.UID{none}, false, nil, []string{"replace 2"}},
		{"deleted", state.RoleDrafts, []state.UID{2}, nil, false, nil, []string{"remove remote 2"}},
		{"not in Drafts", state.RoleNone, []state.UID{2}, []state.UID{none}, false, nil, []string{"remove remote 2"}},
		{"the newest of two", state.RoleDrafts, []state.UID{2, 3}, []state.UID{none}, false, nil, []string{"replace 3", "remove remote 2"}},
		{"the one of the same header", state.RoleDrafts, []state.UID{2, 3}, []state.UID{2}, false, nil, []string{"replace 2", "remove remote 3"}},
		{"both", state.RoleDrafts, []state.UID{2, 3}, []state.UID{none, 2}, false, nil, []string{"replace 2", "replace 3"}},
		{"flagged on the server", state.RoleDrafts, []state.UID{2}, []state.UID{none}, true, nil, []string{"download 2"}},
		{
			"its removal waits for the user", state.RoleDrafts,
			[]state.UID{2},
			[]state.UID{none},
			false,
			[]state.Hold{{ID: 1, Mailbox: "Box", Missing: state.Local, UIDs: state.NewUIDSet(2), Created: 1}},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Mailbox{
				Name: "Box", Folder: "Box", Role: c.role, Paired: 20,
				Local:  &state.LocalDelta{Folder: "Box"},
				Remote: &state.RemoteDelta{Mailbox: "Box", Selected: state.Selected{Permanent: state.AllFlags}},
			}
			for _, uid := range c.missing {
				m.Local.Missing = append(m.Local.Missing, record("Box", uid))
			}
			if c.flagged {
				m.Remote.Changed = []state.RemoteChange{{Base: changed, Flags: state.Flagged}}
			}
			for i, uid := range c.files {
				content := state.Content{Digest: state.HeaderDigest(fmt.Appendf(nil, "Subject: %d\r\n", i)), Size: 9, WireSize: 9}
				content.Header = content.Digest
				if uid != none {
					content.Header = record("Box", uid).Content.Header
				}
				m.Local.New = append(m.Local.New, state.LocalMessage{Key: state.Key(fmt.Sprintf("new%d", i)), Content: content})
			}
			p := Build(Input{Mailboxes: []Mailbox{m}, Trash: "Trash", Limits: DefaultLimits(), Holds: c.holds})
			if len(p.Sought) > 0 {
				p = Build(Input{
					Mailboxes: []Mailbox{m}, Trash: "Trash", Limits: DefaultLimits(), Holds: c.holds,
					Elsewhere: map[state.Digest][]state.Record{},
				})
			}
			var got []string
			for _, op := range p.Ops {
				switch op.Kind {
				case Upload:
				case Download:
					got = append(got, fmt.Sprintf("%s %s", op.Kind, op.UIDs))
				default:
					got = append(got, fmt.Sprintf("%s %d", op.Kind, op.Base.UID))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the plan is %q, want %q", got, c.want)
			}
		})
	}
}
