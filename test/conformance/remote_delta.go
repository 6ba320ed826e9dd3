package conformance

import (
	"testing"

	"mailmoor/state"
)

func deltaCases() []remoteCase {
	return []remoteCase{
		{"delta of an empty mailbox", deltaEmpty},
		{"delta of a mailbox seen for the first time", deltaFirst},
		{"delta is empty when nothing happened", deltaQuiet},
		{"delta of arrivals, flags and absences at once", deltaMixed},
		{"delta finds one gone and one new", deltaBalanced},
		{"delta finds all gone", deltaAllGone},
		{"delta shows own changes once", deltaEcho},
		{"delta refuses another generation", deltaGeneration},
		{"delta refuses a UIDNEXT that went back", deltaSetBack},
		{"delta of a missing mailbox", deltaMissing},
		{"delta by delta nothing is lost", deltaFollow},
		{"delta loses nothing that arrives while it looks", deltaArrival},
		{"delta believes no absence while the mailbox changes", deltaExpungeBetween},
		{"delta of a read-only mailbox", deltaReadOnly},
		{"delta of a thousand messages", deltaThousand},
	}
}

func deltaEmpty(r *remoteRun) {
	d := r.look(&mirror{})
	if len(d.New)+len(d.Changed)+len(d.Gone) > 0 || d.GoneUnknown {
		r.Errorf("an empty mailbox has the delta %+v", d)
	}
	if d.Selected.UIDNext == 0 || d.Selected.Messages != 0 || d.Selected.ReadOnly {
		r.Errorf("SELECT said %+v of an empty mailbox", d.Selected)
	}
	if missing := state.AllFlags &^ state.Passed &^ d.Selected.Permanent; missing != 0 {
		r.Errorf("the flags %q are said not to be permanent", missing)
	}
}

func deltaFirst(r *remoteRun) {
	uids := r.fill(3)
	r.Other.SetFlags(r.T, work, uids[1], state.Seen|state.Flagged)
	d := r.look(&mirror{})
	equal(r.T, "what is new", d.New, []state.RemoteMessage{
		{UID: uids[0]}, {UID: uids[1], Flags: state.Seen | state.Flagged}, {UID: uids[2]},
	})
	if d.Selected.Messages != 3 || d.Selected.UIDNext <= uids[2] {
		r.Errorf("the cursor is %+v, the last UID %d", d.Selected.Cursor, uids[2])
	}
}

func deltaQuiet(r *remoteRun) {
	r.fill(3)
	m := &mirror{}
	first := r.follow(m)
	second := r.look(m)
	if len(second.New)+len(second.Changed)+len(second.Gone) > 0 || second.GoneUnknown {
		r.Errorf("nothing happened, and the delta is %+v", second)
	}
	equal(r.T, "the cursor", second.Selected.Cursor, first.Selected.Cursor)
}

func deltaMixed(r *remoteRun) {
	uids := r.fill(5)
	m := &mirror{}
	r.follow(m)
	r.Other.SetFlags(r.T, work, uids[1], state.Answered)
	r.Other.Expunge(r.T, work, uids[3])
	arrived := r.Other.Append(r.T, work, Message{Flags: state.Draft, Date: baseDate, Body: Mail(9)})
	d := r.look(m)
	equal(r.T, "what is new", d.New, []state.RemoteMessage{{UID: arrived, Flags: state.Draft}})
	equal(r.T, "what changed", d.Changed, []state.RemoteChange{{Base: m.base[1], Flags: state.Answered}})
	equal(r.T, "what is gone", d.Gone, []state.Record{m.base[3]})
}

func deltaBalanced(r *remoteRun) {
	uids := r.fill(2)
	m := &mirror{}
	r.follow(m)
	r.Other.Expunge(r.T, work, uids[0])
	arrived := r.Other.Append(r.T, work, Message{Date: baseDate, Body: Mail(9)})
	d := r.look(m)
	equal(r.T, "what is new", d.New, []state.RemoteMessage{{UID: arrived}})
	equal(r.T, "what is gone", d.Gone, []state.Record{m.base[0]})
}

func deltaAllGone(r *remoteRun) {
	uids := r.fill(3)
	m := &mirror{}
	r.follow(m)
	for _, uid := range uids {
		r.Other.Expunge(r.T, work, uid)
	}
	d := r.look(m)
	equal(r.T, "what is gone", d.Gone, m.base)
}

func deltaEcho(r *remoteRun) {
	uids := r.fill(2)
	m := &mirror{}
	r.follow(m)
	_, err := r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids[0]), state.Seen, 0)
	ok(r.T, err)
	for _, out := range r.remote.Append(r.ctx, r.ref(work), []state.Upload{upload("own", Mail(7), state.Flagged)}) {
		ok(r.T, out.Err)
	}
	d := r.follow(m)
	equal(r.T, "the echo of the flags", len(d.Changed), 1)
	equal(r.T, "the echo of the upload", len(d.New), 1)
	r.agrees(m)
	d = r.follow(m)
	if len(d.New)+len(d.Changed)+len(d.Gone) > 0 {
		r.Errorf("own changes come back a second time: %+v", d)
	}
}

func deltaGeneration(r *remoteRun) {
	r.fill(1)
	m := &mirror{}
	r.follow(m)
	m.cursor.UIDValidity++
	_, err := r.remote.Delta(r.ctx, work, m.cursor, state.SeenOf(m.base))
	wantCause(r.T, err, state.CauseGeneration)
	m.cursor.UIDValidity--
	r.look(m) // the connection is still usable
}

func deltaSetBack(r *remoteRun) {
	r.fill(2)
	saved := r.look(&mirror{}).Selected.Cursor
	saved.UIDNext += 3
	_, err := r.remote.Delta(r.ctx, work, saved, state.SeenSet{})
	wantCause(r.T, err, state.CauseGeneration)
}

func deltaMissing(r *remoteRun) {
	_, err := r.remote.Delta(r.ctx, "No such mailbox", state.Cursor{}, state.SeenSet{})
	wantCause(r.T, err, state.CauseGone)
	r.look(&mirror{})
}

func deltaFollow(r *remoteRun) {
	m := &mirror{}
	var uids []state.UID
	for round := range 4 {
		uids = append(uids, r.Other.Append(r.T, work, Message{Date: baseDate, Body: Mail(round)}))
		r.follow(m)
		r.Other.SetFlags(r.T, work, uids[round], state.Seen)
		if round > 0 {
			r.Other.SetFlags(r.T, work, uids[round-1], state.Flagged)
		}
		r.follow(m)
		r.agrees(m)
	}
	r.Other.Expunge(r.T, work, uids[2])
	r.follow(m)
	r.agrees(m)
}

func deltaArrival(r *remoteRun) {
	if r.Between == nil {
		r.Skip("nothing can be made to happen between SELECT and the listing")
	}
	uids := r.fill(2)
	m := &mirror{}
	r.follow(m)
	r.Between(r.T, func() {
		r.Other.Append(r.T, work, Message{Date: baseDate, Body: Mail(8)})
		r.Other.SetFlags(r.T, work, uids[0], state.Flagged)
	})
	r.follow(m)
	r.follow(m)
	r.agrees(m)
}

func deltaExpungeBetween(r *remoteRun) {
	if r.Between == nil {
		r.Skip("nothing can be made to happen between SELECT and the listing")
	}
	uids := r.fill(4)
	m := &mirror{}
	r.follow(m)
	r.Between(r.T, func() {
		r.Other.Expunge(r.T, work, uids[1])
		r.Other.Append(r.T, work, Message{Date: baseDate, Body: Mail(8)})
	})
	for _, gone := range r.follow(m).Gone {
		if gone.UID != uids[1] {
			r.Errorf("UID %d is said to be gone", gone.UID)
		}
	}
	r.follow(m)
	r.agrees(m)
}

func deltaReadOnly(r *remoteRun) {
	if r.ReadOnly == nil {
		r.Skip("mailboxes cannot be made read-only")
	}
	r.fill(1)
	r.ReadOnly(r.T, work)
	d := r.look(&mirror{})
	if !d.Selected.ReadOnly || len(d.New) != 1 {
		r.Errorf("a read-only mailbox with one message has the delta %+v", d)
	}
}

func deltaThousand(r *remoteRun) {
	if testing.Short() {
		r.Skip("it appends a thousand messages")
	}
	const batch, batches = 50, 20
	for range batches {
		var uploads []state.Upload
		for i := range batch {
			uploads = append(uploads, upload("bulk", Mail(i), 0))
		}
		for _, out := range r.remote.Append(r.ctx, r.ref(work), uploads) {
			ok(r.T, out.Err)
		}
	}
	m := &mirror{}
	equal(r.T, "the number of new messages", len(r.follow(m).New), batch*batches)
	uids := r.uidsOf(work)
	var odd state.UIDSet
	for i := 1; i < len(uids); i += 2 {
		odd = odd.Add(uids[i])
	}
	if removed, err := r.remote.Expunge(r.ctx, r.ref(work), odd); err != nil || removed == r.NoUIDPlus {
		r.Fatalf("expunge: removed %v, error %v", removed, err)
	}
	d := r.follow(m)
	if r.NoUIDPlus {
		equal(r.T, "the number of marked messages", len(d.Changed), batch*batches/2)
	} else {
		equal(r.T, "the number of gone messages", len(d.Gone), batch*batches/2)
	}
	r.agrees(m)
}
