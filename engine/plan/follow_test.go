package plan

import (
	"slices"
	"testing"

	"mailmoor/state"
)

// bulk is an INBOX in which messages are gone that have been changed here, and an Archive
// with so many new ones.
func bulk(gone, fresh int) Input {
	known := func(name string) Mailbox {
		return Mailbox{
			Name: name, Folder: name, Known: &state.Mailbox{Name: name, Folder: name}, Local: &state.LocalDelta{Folder: name},
			Remote: &state.RemoteDelta{Mailbox: name, Selected: state.Selected{Permanent: state.AllFlags}},
		}
	}
	archive, inbox := known("Archive"), known("INBOX")
	inbox.Paired = 2 * gone
	for uid := range state.UID(gone) {
		r := record("INBOX", uid+1)
		inbox.Remote.Gone = append(inbox.Remote.Gone, r)
		now := recordedFile(r)
		now.Flags = state.Flagged
		inbox.Local.Changed = append(inbox.Local.Changed, state.LocalChange{Base: r, Now: now})
	}
	for uid := range state.UID(fresh) {
		archive.Remote.New = append(archive.Remote.New, state.RemoteMessage{UID: uid + 1})
	}
	return Input{Mailboxes: []Mailbox{archive, inbox}, Limits: DefaultLimits(), Now: 1000}
}

// TestTooManyToLookAt: a mailbox has so many new messages that they are not looked at for
// the sake of the few that are gone elsewhere. One of them may be what is gone: it is not
// uploaded again before they are here.
func TestTooManyToLookAt(t *testing.T) {
	in := bulk(1, identitiesMax+1)
	if wants := Missing(in); len(wants) > 0 {
		t.Errorf("%d identities are asked for, want none", wants[0].Identities.Len())
	}
	p := Build(in)
	if len(p.Ops) != 1 || p.Ops[0].Kind != Download || !slices.Contains(p.Open, "INBOX") {
		t.Errorf("the plan is %+v, want the download alone, and INBOX open", p.Ops)
	}
}

// TestManyLookedFor: where many messages are gone, as after a year was archived, many new ones are looked at.
func TestManyLookedFor(t *testing.T) {
	wants := Missing(bulk(identitiesMax/identitiesEach+1, identitiesMax+1))
	if len(wants) != 1 || wants[0].Identities.Len() != identitiesMax+1 {
		t.Errorf("what is asked for is %+v, want all identities", wants)
	}
}
