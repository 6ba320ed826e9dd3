package conformance

import (
	"mailmoor/state"
)

func keywordCases() []remoteCase {
	return []remoteCase{
		{"keywords of new messages", keywordsNew},
		{"keywords that changed", keywordsChanged},
		{"keywords that are not stored have not gone", keywordsOwn},
		{"flags that only the file has are shown to be missing", flagsOwn},
		{"keywords come with the message", keywordsFetched},
		{"added keywords are there", keywordsAdded},
		{"added keywords of vanished messages", keywordsVanished},
		{"a refused keyword takes no other with it", keywordsRefused},
		{"keywords of another generation", keywordsGeneration},
		{"keywords in a read-only mailbox", keywordsReadOnly},
		{"keywords move along", keywordsMoved},
	}
}

// tagged appends a message with keywords.
func (r *remoteRun) tagged(k state.Keywords) state.UID {
	r.Helper()
	return r.Other.Append(r.T, work, Message{Flags: state.Seen, Keywords: k, Date: baseDate, Body: Mail(1)})
}

// known returns a mirror whose only message has these keywords.
func (r *remoteRun) known(uid state.UID, k, own state.Keywords) *mirror {
	r.Helper()
	m := &mirror{}
	r.follow(m)
	m.base[0].State, m.base[0].Key, m.base[0].Keywords, m.base[0].LocalKeywords = state.Paired, "k", k, own
	equal(r.T, "the message", m.base[0].UID, uid)
	return m
}

func keywordsNew(r *remoteRun) {
	uid := r.tagged("$Label1 NonJunk work")
	plain := r.fill(1)[0]
	d := r.look(&mirror{})
	equal(r.T, "what is new", d.New, []state.RemoteMessage{
		{UID: uid, Flags: state.Seen, Keywords: "$Label1 NonJunk work"}, {UID: plain},
	})
	if d.Selected.Keywords.Of("$Label1 a") != "$Label1 a" {
		r.Errorf("SELECT said %+v of keywords", d.Selected.Keywords)
	}
	list, err := r.remote.Identify(r.ctx, r.ref(work), state.NewUIDSet(uid))
	ok(r.T, err)
	if len(list) != 1 || list[0].Keywords != "$Label1 NonJunk work" {
		r.Errorf("identified as %+v", list)
	}
}

func keywordsChanged(r *remoteRun) {
	uid := r.tagged("a b")
	m := r.known(uid, "a b", "")
	equal(r.T, "what changed", len(r.look(m).Changed), 0)
	r.Tag(r.T, work, uid, "c", "b")
	equal(r.T, "what changed", r.look(m).Changed, []state.RemoteChange{{Base: m.base[0], Flags: state.Seen, Keywords: "a c"}})
	m = r.known(uid, "A C", "")
	equal(r.T, "what changed", len(r.look(m).Changed), 0)
}

// keywordsOwn: a message keeps keywords that only the local side has.
func keywordsOwn(r *remoteRun) {
	uid := r.tagged("a")
	m := r.known(uid, "a", "mine")
	equal(r.T, "what changed", len(r.look(m).Changed), 0)
}

func keywordsFetched(r *remoteRun) {
	uid := r.tagged("a b")
	var got state.Keywords
	err := r.remote.Fetch(r.ctx, r.ref(work), state.NewUIDSet(uid), func(in state.Incoming) error {
		got = in.Keywords
		return nil
	})
	ok(r.T, err)
	equal(r.T, "the keywords", got, "a b")
}

func keywordsAdded(r *remoteRun) {
	uids := []state.UID{r.tagged("a"), r.fill(1)[0]}
	got, err := r.remote.AddKeywords(r.ctx, r.ref(work), state.NewUIDSet(uids...), "b C")
	ok(r.T, err)
	want := map[state.UID]state.Keywords{uids[0]: "a b C", uids[1]: "b C"}
	equal(r.T, "the keywords returned", got, want)
	for _, m := range r.Other.Messages(r.T, work) {
		equal(r.T, "the keywords on the server", m.Keywords, want[m.UID])
	}
	equal(r.T, "the flags", r.Other.Messages(r.T, work)[0].Flags, state.Seen)
}

func keywordsVanished(r *remoteRun) {
	uids := r.fill(2)
	r.Other.Expunge(r.T, work, uids[0])
	got, err := r.remote.AddKeywords(r.ctx, r.ref(work), state.NewUIDSet(uids...), "a")
	ok(r.T, err)
	equal(r.T, "the keywords returned", got, map[state.UID]state.Keywords{uids[1]: "a"})
}

func keywordsRefused(r *remoteRun) {
	if r.Refused == "" {
		r.Skip("the server refuses no keyword")
	}
	uid := r.fill(1)[0]
	got, err := r.remote.AddKeywords(r.ctx, r.ref(work), state.NewUIDSet(uid), state.NewKeywords("a", r.Refused, "z"))
	ok(r.T, err)
	equal(r.T, "the keywords returned", got, map[state.UID]state.Keywords{uid: "a z"})
	equal(r.T, "the keywords on the server", r.Other.Messages(r.T, work)[0].Keywords, "a z")
}

func keywordsGeneration(r *remoteRun) {
	uid := r.fill(1)[0]
	_, err := r.remote.AddKeywords(r.ctx, r.wrongRef(), state.NewUIDSet(uid), "a")
	wantCause(r.T, err, state.CauseGeneration)
	equal(r.T, "the keywords", r.Other.Messages(r.T, work)[0].Keywords, "")
}

func keywordsReadOnly(r *remoteRun) {
	if r.ReadOnly == nil {
		r.Skip("mailboxes cannot be made read-only")
	}
	uid := r.tagged("a")
	r.ReadOnly(r.T, work)
	_, err := r.remote.AddKeywords(r.ctx, r.ref(work), state.NewUIDSet(uid), "b")
	wantCause(r.T, err, state.CauseReadOnly)
	d := r.look(&mirror{})
	equal(r.T, "the keywords", d.New[0].Keywords, "a")
	equal(r.T, "the keywords that count", d.Selected.Keywords.Of("a b"), "a b")
}

func keywordsMoved(r *remoteRun) {
	uid := r.tagged("a b")
	r.Other.CreateMailbox(r.T, "Other")
	_, _, err := r.remote.Move(r.ctx, r.ref(work), state.NewUIDSet(uid), "Other")
	ok(r.T, err)
	equal(r.T, "the keywords", r.Other.Messages(r.T, "Other")[0].Keywords, "a b")
}

// flagsOwn: the mailbox did not store a flag once, and stores it now. What it shows
// then is the flags without it, and not that somebody took it away.
func flagsOwn(r *remoteRun) {
	r.Helper()
	uid := r.tagged("")
	m := r.known(uid, "", "")
	m.base[0].Flags, m.base[0].LocalFlags = state.Seen|state.Flagged, state.Flagged
	r.Other.SetFlags(r.T, work, uid, state.Seen|state.Answered)
	d := r.look(m)
	equal(r.T, "what changed", d.Changed, []state.RemoteChange{{Base: m.base[0], Flags: state.Seen | state.Answered}})
}
