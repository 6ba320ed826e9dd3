package plan

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"mailmoor/state"
)

// TestGuardsDocument runs every row of the table in docs/guards.md.
func TestGuardsDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/guards.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.HasPrefix(line, "|") {
			continue
		}
		before, errBefore := strconv.Atoi(strings.TrimSpace(cells[1]))
		missing, errMissing := strconv.Atoi(strings.TrimSpace(cells[2]))
		if errBefore != nil || errMissing != nil {
			continue // the heading
		}
		rows++
		removal, want := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[3])
		t.Run(strings.Join(strings.Fields(line), " "), func(t *testing.T) {
			held, done := removeSome(t, removal, before, missing)
			switch {
			case want == "held" && (held != missing || done != 0):
				t.Errorf("%d held and %d removed, want all held", held, done)
			case want == "removed" && (held != 0 || done != missing):
				t.Errorf("%d held and %d removed, want all removed", held, done)
			case want != "held" && want != "removed":
				t.Errorf("the table says %q", want)
			}
		})
	}
	if rows < 15 {
		t.Errorf("only %d rows were found in docs/guards.md", rows)
	}
}

// removeSome plans for a mailbox of which some messages are missing locally,
// and returns how many removals are held and how many are to be done.
func removeSome(t *testing.T, removal string, before, missing int) (held, done int) {
	t.Helper()
	m := Mailbox{
		Name: "Box", Folder: "Box", Paired: before,
		Local:  &state.LocalDelta{Folder: "Box"},
		Remote: &state.RemoteDelta{Mailbox: "Box", Selected: state.Selected{Permanent: state.AllFlags}},
	}
	for i := range missing {
		m.Local.Missing = append(m.Local.Missing, record("Box", state.UID(i+1)))
	}
	in := Input{Mailboxes: []Mailbox{m}, Trash: "Trash", Limits: DefaultLimits()}
	switch removal {
	case "final":
		in.Trash = ""
	case "in Trash":
		in.Mailboxes[0].Role = state.RoleTrash
	case "reversible":
	default:
		t.Fatalf("the table names a removal %q", removal)
	}
	p := Build(in)
	for _, h := range p.Holds {
		held += h.UIDs.Len()
	}
	return held, len(p.Ops)
}

// TestEmptiedIsWhatRemains: messages that moved away, or are gone from both
// sides, in the same interval must not make an emptied folder look plausible.
func TestEmptiedIsWhatRemains(t *testing.T) {
	box := func() Mailbox {
		m := Mailbox{
			Name: "Box", Folder: "Box", Paired: 10,
			Local:  &state.LocalDelta{Folder: "Box"},
			Remote: &state.RemoteDelta{Mailbox: "Box", Selected: state.Selected{Permanent: state.AllFlags}},
		}
		for uid := range state.UID(10) {
			m.Local.Missing = append(m.Local.Missing, record("Box", uid+1))
		}
		return m
	}
	sent := Mailbox{
		Name: "Sent", Folder: "Sent", Local: &state.LocalDelta{Folder: "Sent"},
		Remote: &state.RemoteDelta{Mailbox: "Sent", Selected: state.Selected{Permanent: state.AllFlags}},
	}
	for name, change := range map[string]func(box, sent *Mailbox){
		"one expunged on the server": func(box, _ *Mailbox) {
			box.Remote.Gone = append(box.Remote.Gone, record("Box", 1))
		},
		"one moved on the server": func(box, sent *Mailbox) {
			r := record("Box", 1)
			box.Remote.Gone = append(box.Remote.Gone, r)
			sent.Remote.New = append(sent.Remote.New, state.RemoteMessage{UID: 7, Identity: r.Remote})
		},
		"one moved here": func(_, sent *Mailbox) {
			r := record("Box", 1)
			sent.Local.New = append(sent.Local.New, state.LocalMessage{Key: r.Key, Content: r.Content})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := box(), sent
			s.Local, s.Remote = &state.LocalDelta{Folder: "Sent"}, &state.RemoteDelta{Mailbox: "Sent", Selected: sent.Remote.Selected}
			change(&b, &s)
			p := Build(Input{Mailboxes: []Mailbox{b, s}, Trash: "Trash", Limits: DefaultLimits()})
			held := 0
			for _, h := range p.Holds {
				held += h.UIDs.Len()
			}
			if held != 9 {
				t.Errorf("%d removals are held, want 9; the plan is %+v", held, p.Ops)
			}
		})
	}
}

// record is a paired record whose content is told by its UID.
func record(mailbox string, uid state.UID) state.Record {
	key := state.Key("k" + strconv.Itoa(int(uid)))
	header := state.HeaderDigest([]byte("Message-ID: <" + string(key) + ">\r\n"))
	r := state.Record{Mailbox: mailbox, UID: uid, Key: key, State: state.Paired}
	r.Content = state.Content{Digest: header, Header: header, Size: int64(uid), WireSize: int64(uid)}
	r.Remote = state.RemoteIdentity{Size: int64(uid), Date: int64(uid), Header: header}
	return r
}
