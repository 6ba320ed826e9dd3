package plan

import (
	"slices"
	"testing"

	"mailmoor/state"
)

// oneInDoubt is a mailbox in doubt with records of the given texts, named a, b, ...,
// whose messages the server shows in the order of shown, all of the same date.
func oneInDoubt(texts []text, onServer ...text) *doubtful {
	d := &doubtful{truth: make(map[state.UID]shown), Mailbox: Mailbox{
		Name: "Box", Folder: "Box", OnServer: true, Doubt: state.DoubtUIDs, Known: &state.Mailbox{},
		Local: &state.LocalDelta{Folder: "Box"}, Relisted: &state.RemoteDelta{Mailbox: "Box"},
	}}
	for i, x := range texts {
		d.Base = append(d.Base, state.Record{
			Mailbox: "Box", UID: state.UID(i + 1), Key: state.Key('a' + rune(i)), State: state.Paired,
			Content: x.content(), Remote: d.identity(shown{x, 100}),
		})
	}
	for i, x := range onServer {
		uid := state.UID(101 + i)
		d.truth[uid] = shown{x, 100}
		d.Relisted.New = append(d.Relisted.New, state.RemoteMessage{UID: uid})
	}
	return d
}

// edit gives the file of record i another text.
func (d *doubtful) edit(i int, x text) {
	now := state.LocalMessage{Key: d.Base[i].Key, Content: x.content(), Stat: state.FileStat{Size: 1}}
	d.Local.Changed = append(d.Local.Changed, state.LocalChange{Base: d.Base[i], Now: now, Edited: true})
}

// uids returns the UIDs of the records afterwards, by key; 0 for a lost one.
func (d *doubtful) uids(t *testing.T) map[state.Key]state.UID {
	t.Helper()
	in := Input{Mailboxes: []Mailbox{d.Mailbox}, Now: 1}
	satisfy(t, in, map[string]*doubtful{"Box": d})
	uids := make(map[state.Key]state.UID)
	for _, r := range rematchings(t, Build(in), map[string]*doubtful{"Box": d})["Box"].Put {
		uids[r.Key] = r.UID
	}
	return uids
}

// TestOfEqualMessagesTheFileCounts: one of two equal files was deleted, and the
// server has one message left. It is that of the file which is there, and not one
// to be removed.
func TestOfEqualMessagesTheFileCounts(t *testing.T) {
	same := text{header: 1}
	d := oneInDoubt([]text{same, same}, same)
	d.Local.Missing = d.Base[:1]
	if got := d.uids(t); got["b"] != 101 || got["a"] != 0 {
		t.Errorf("UIDs are %v, want the message bound to b, whose file is there", got)
	}
}

// TestOfEqualMessagesTheDeletedOneIsGone: we have removed one of two equal messages
// from a server without UIDPLUS, where it stays and is marked. It is that one
// again, in whatever order the server lists them now.
func TestOfEqualMessagesTheDeletedOneIsGone(t *testing.T) {
	same := text{header: 1}
	for _, marked := range []int{0, 1} {
		d := oneInDoubt([]text{same, same}, same, same)
		d.Base[0].State, d.Base[0].Key, d.Base[0].Flags = state.Expunging, "", state.Trashed
		d.Relisted.New[marked].Flags = state.Trashed
		if got, want := d.uids(t), d.Relisted.New[1-marked].UID; got["b"] != want {
			t.Errorf("UIDs are %v, want the file bound to UID %d, which is not marked", got, want)
		}
	}
}

// TestBodyThatWasReadDecides: an edited file has a former version of the same
// header, size and date as the message that is left when another record has
// found its own. The body shows that it is not that version.
func TestBodyThatWasReadDecides(t *testing.T) {
	was, other := text{header: 1, body: 0}, text{header: 1, body: 1}
	d := oneInDoubt([]text{was, other}, other, other)
	d.edit(0, text{header: 1, body: 2})
	if got := d.uids(t); got["a"] != 0 || got["b"] != 101 {
		t.Errorf("UIDs are %v, want a without a message and b bound to the first", got)
	}
}

// TestBodiesAreAskedForOnce: when the new version of an edited file has been found
// its old one is free again, and may be another record's. What is asked for only
// then is never known, and the mailbox stays in doubt.
func TestBodiesAreAskedForOnce(t *testing.T) {
	was, now, lost := text{header: 1, body: 0}, text{header: 2, body: 0}, text{header: 1, body: 2}
	d := oneInDoubt([]text{was, lost}, was, now)
	d.edit(0, now)
	if got := d.uids(t); got["a"] != 102 || got["b"] != 0 {
		t.Errorf("UIDs are %v, want a bound to its new version, and b lost", got)
	}
}

// TestEditedVersionOnTheServer: the upload of an edited file had arrived when the
// server renumbered the mailbox. Its new version counts, not the old one.
func TestEditedVersionOnTheServer(t *testing.T) {
	was, now := text{header: 1, body: 0}, text{header: 2, body: 2}
	d := oneInDoubt([]text{was}, was, now)
	d.edit(0, now)
	if got := d.uids(t); got["a"] != 102 {
		t.Errorf("UIDs are %v, want the file bound to its new version", got)
	}
}

// TestHeldRemovalsStayHeld: whatever was decided about a hold, after the messages
// were given other UIDs it is an open one about those.
func TestHeldRemovalsStayHeld(t *testing.T) {
	x, y, z := text{header: 1}, text{header: 2}, text{header: 3}
	for _, decision := range []state.Decision{state.Undecided, state.Approved, state.Rejected} {
		d := oneInDoubt([]text{x, y, z}, z, y, x)
		d.Local.Missing = d.Base[:2]
		in := Input{Mailboxes: []Mailbox{d.Mailbox}, Now: 1, Holds: []state.Hold{
			{ID: 7, Mailbox: "Box", Missing: state.Local, UIDs: state.NewUIDSet(1, 2), Reason: "gone", Decision: decision},
			{ID: 8, Mailbox: "Box", Missing: state.Remote, UIDs: state.NewUIDSet(3), Reason: "gone"},
		}}
		satisfy(t, in, map[string]*doubtful{"Box": d})
		holds := Build(in).Holds
		if len(holds) != 1 {
			t.Fatalf("holds are %+v, want the one for the files", holds)
		}
		h := holds[0]
		if h.ID != 0 || h.Decision != state.Undecided || h.Missing != state.Local || !slices.Equal(h.UIDs, state.NewUIDSet(102, 103)) {
			t.Errorf("the hold is %+v, want a new one about UIDs 102 and 103", h)
		}
	}
}
