package conformance

import (
	"mailmoor/state"
)

func storeCases() []remoteCase {
	return []remoteCase{
		{"store returns the flags that are there", storeEcho},
		{"store leaves out vanished messages", storeVanished},
		{"store changes nothing else", storeOnlyThese},
		{"store refuses another generation", storeGeneration},
		{"store into a read-only mailbox", storeReadOnly},
		{"expunge removes exactly these messages", expungeExact},
		{"expunge refuses another generation", expungeGeneration},
	}
}

func storeEcho(r *remoteRun) {
	uids := r.fill(2)
	r.Other.SetFlags(r.T, work, uids[0], state.Flagged|state.Draft)
	got, err := r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids...), state.Seen|state.Passed, state.Draft)
	ok(r.T, err)
	want := map[state.UID]state.Flags{
		uids[0]: state.Flagged | state.Seen | state.Passed, uids[1]: state.Seen | state.Passed,
	}
	equal(r.T, "the flags returned", got, want)
	for _, m := range r.Other.Messages(r.T, work) {
		equal(r.T, "the flags on the server", m.Flags, want[m.UID])
	}
}

func storeVanished(r *remoteRun) {
	uids := r.fill(3)
	r.Other.Expunge(r.T, work, uids[1])
	got, err := r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids...), state.Answered, 0)
	ok(r.T, err)
	equal(r.T, "the flags returned", got, map[state.UID]state.Flags{uids[0]: state.Answered, uids[2]: state.Answered})
}

func storeOnlyThese(r *remoteRun) {
	uids := r.fill(3)
	r.Other.SetFlags(r.T, work, uids[0], state.Seen)
	_, err := r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids[1]), 0, state.Seen|state.Flagged)
	ok(r.T, err)
	_, err = r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids[2]), state.Trashed, 0)
	ok(r.T, err)
	var got []state.Flags
	for _, m := range r.Other.Messages(r.T, work) {
		got = append(got, m.Flags)
	}
	equal(r.T, "all flags", got, []state.Flags{state.Seen, 0, state.Trashed})
}

func storeGeneration(r *remoteRun) {
	uids := r.fill(1)
	_, err := r.remote.Store(r.ctx, r.wrongRef(), state.NewUIDSet(uids...), state.Seen, 0)
	wantCause(r.T, err, state.CauseGeneration)
	equal(r.T, "the flags", r.Other.Messages(r.T, work)[0].Flags, state.Flags(0))
}

func storeReadOnly(r *remoteRun) {
	if r.ReadOnly == nil {
		r.Skip("mailboxes cannot be made read-only")
	}
	uids := r.fill(1)
	r.ReadOnly(r.T, work)
	_, err := r.remote.Store(r.ctx, r.ref(work), state.NewUIDSet(uids...), state.Seen, 0)
	wantCause(r.T, err, state.CauseReadOnly)
	equal(r.T, "the flags", r.Other.Messages(r.T, work)[0].Flags, state.Flags(0))
}

func expungeExact(r *remoteRun) {
	uids := r.fill(4)
	// Somebody else's message, marked and not to be touched.
	r.Other.SetFlags(r.T, work, uids[0], state.Trashed)
	removed, err := r.remote.Expunge(r.ctx, r.ref(work), state.NewUIDSet(uids[1], uids[2], uids[3]+9))
	ok(r.T, err)
	equal(r.T, "what expunge says", removed, !r.NoUIDPlus)
	got := map[state.UID]state.Flags{}
	for _, m := range r.Other.Messages(r.T, work) {
		got[m.UID] = m.Flags
	}
	want := map[state.UID]state.Flags{uids[0]: state.Trashed, uids[3]: 0}
	if r.NoUIDPlus {
		want[uids[1]], want[uids[2]] = state.Trashed, state.Trashed
	}
	equal(r.T, "what is left", got, want)
}

func expungeGeneration(r *remoteRun) {
	uids := r.fill(2)
	_, err := r.remote.Expunge(r.ctx, r.wrongRef(), state.NewUIDSet(uids...))
	wantCause(r.T, err, state.CauseGeneration)
	equal(r.T, "the messages", r.uidsOf(work), uids)
}

func moveCases() []remoteCase {
	return []remoteCase{
		{"move keeps the messages as they are", moveKeeps},
		{"move leaves out vanished messages", moveVanished},
		{"move to a missing mailbox loses nothing", moveMissing},
		{"move refuses another generation", moveGeneration},
		{"move shows in both deltas", moveDeltas},
	}
}

func moveKeeps(r *remoteRun) {
	uids := r.fill(4)
	r.Other.CreateMailbox(r.T, "Other")
	r.Other.Append(r.T, "Other", Message{Date: baseDate, Body: Mail(77)})
	r.Other.SetFlags(r.T, work, uids[1], state.Flagged|state.Seen)
	r.Other.SetFlags(r.T, work, uids[0], state.Trashed) // somebody else's
	before := r.Other.Messages(r.T, work)
	result, _, err := r.remote.Move(r.ctx, r.ref(work), state.NewUIDSet(uids[1], uids[2]), "Other")
	ok(r.T, err)
	equal(r.T, "the number moved", len(result), 2)
	arrived := r.Other.Messages(r.T, "Other")[1:]
	equal(r.T, "the number that arrived", len(arrived), 2)
	for i, got := range arrived {
		want := before[i+1]
		if uid, moved := result[want.UID]; !moved || uid != got.UID && uid != 0 || uid == 0 && !r.NoUIDPlus {
			r.Errorf("UID %d is said to be UID %d now (moved %v); it is %d", want.UID, uid, moved, got.UID)
		}
		want.UID = got.UID
		equal(r.T, "the message", got, want)
	}
	for _, m := range r.Other.Messages(r.T, work) {
		// A server that has neither MOVE nor UIDPLUS keeps the source, marked.
		if m.Flags&state.Trashed == 0 && (m.UID == uids[1] || m.UID == uids[2]) {
			r.Errorf("UID %d is still where it was", m.UID)
		}
	}
	equal(r.T, "somebody else's message", r.Other.Messages(r.T, work)[0], before[0])
}

func moveVanished(r *remoteRun) {
	uids := r.fill(3)
	r.Other.CreateMailbox(r.T, "Other")
	r.Other.Expunge(r.T, work, uids[1])
	result, _, err := r.remote.Move(r.ctx, r.ref(work), state.NewUIDSet(uids[1], uids[2]), "Other")
	ok(r.T, err)
	if _, moved := result[uids[2]]; !moved || len(result) != 1 {
		r.Errorf("the result is %v, want only UID %d", result, uids[2])
	}
	equal(r.T, "the number that arrived", len(r.uidsOf("Other")), 1)
}

func moveMissing(r *remoteRun) {
	uids := r.fill(2)
	_, _, err := r.remote.Move(r.ctx, r.ref(work), state.NewUIDSet(uids...), "No such mailbox")
	wantCause(r.T, err, state.CauseGone)
	equal(r.T, "the messages", r.uidsOf(work), uids)
	for _, m := range r.Other.Messages(r.T, work) {
		equal(r.T, "the flags", m.Flags, state.Flags(0))
	}
}

func moveGeneration(r *remoteRun) {
	uids := r.fill(2)
	r.Other.CreateMailbox(r.T, "Other")
	_, _, err := r.remote.Move(r.ctx, r.wrongRef(), state.NewUIDSet(uids...), "Other")
	wantCause(r.T, err, state.CauseGeneration)
	equal(r.T, "the messages", r.uidsOf(work), uids)
	equal(r.T, "the other mailbox", r.uidsOf("Other"), []state.UID(nil))
}

func moveDeltas(r *remoteRun) {
	uids := r.fill(2)
	r.Other.CreateMailbox(r.T, "Other")
	m := &mirror{}
	r.follow(m)
	_, _, err := r.remote.Move(r.ctx, r.ref(work), state.NewUIDSet(uids[0]), "Other")
	ok(r.T, err)
	r.follow(m)
	r.agrees(m)
	d, err := r.remote.Delta(r.ctx, "Other", state.Cursor{}, state.SeenSet{})
	ok(r.T, err)
	equal(r.T, "the number of new messages", len(d.New), 1)
}
