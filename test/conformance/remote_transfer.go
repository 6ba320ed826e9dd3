package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"mailmoor/state"
)

func fetchCases() []remoteCase {
	return []remoteCase{
		{"identify leaves out what does not exist", identifyExisting},
		{"identify refuses another generation", identifyGeneration},
		{"sizes are those that identify tells", sizesTold},
		{"sizes refuse another generation", sizesGeneration},
		{"fetch yields bodies, flags and dates", fetchWhole},
		{"fetch tells the sizes that identify tells", fetchTells},
		{"fetch passes over vanished messages", fetchVanished},
		{"fetch of nothing", fetchNothing},
		{"fetch refuses another generation", fetchGeneration},
		{"fetch ends with the error of each", fetchEachFails},
		{"fetch goes on after a body that was not read", fetchUnread},
		{"a connection is usable until it ends", usable},
	}
}

func identifyExisting(r *remoteRun) {
	uids := r.fill(4)
	r.Other.SetFlags(r.T, work, uids[3], state.Answered)
	r.Other.Expunge(r.T, work, uids[1])
	asked := state.NewUIDSet(uids[1], uids[2], uids[3], uids[3]+50)
	got, err := r.remote.Identify(r.ctx, r.ref(work), asked)
	ok(r.T, err)
	identity := func(i int) state.RemoteIdentity {
		return state.RemoteIdentity{Size: int64(len(Mail(i))), Date: baseDate + int64(i), Header: state.HeaderDigest(Mail(i))}
	}
	for i, m := range got {
		// Servers may fold and order the fields as they like.
		equal(r.T, "the digest of the fields", state.HeaderDigest([]byte(m.Fields)), m.Identity.Header)
		got[i].Fields = ""
	}
	equal(r.T, "the identities", got, []state.RemoteMessage{
		{UID: uids[2], Identity: identity(2)},
		{UID: uids[3], Flags: state.Answered, Identity: identity(3)},
	})
}

func identifyGeneration(r *remoteRun) {
	uids := r.fill(1)
	_, err := r.remote.Identify(r.ctx, r.wrongRef(), state.NewUIDSet(uids...))
	wantCause(r.T, err, state.CauseGeneration)
}

func sizesTold(r *remoteRun) {
	uids := r.fill(4)
	r.Other.Expunge(r.T, work, uids[1])
	asked := state.NewUIDSet(uids[0], uids[1], uids[3], uids[3]+50)
	identified, err := r.remote.Identify(r.ctx, r.ref(work), asked)
	ok(r.T, err)
	want := make(map[state.UID]int64)
	for _, m := range identified {
		want[m.UID] = m.Identity.Size
	}
	got, err := r.remote.Sizes(r.ctx, r.ref(work), asked)
	ok(r.T, err)
	equal(r.T, "the sizes", got, want)
}

func sizesGeneration(r *remoteRun) {
	uids := r.fill(1)
	_, err := r.remote.Sizes(r.ctx, r.wrongRef(), state.NewUIDSet(uids...))
	wantCause(r.T, err, state.CauseGeneration)
}

func fetchWhole(r *remoteRun) {
	for name, body := range oddMails() {
		want := fetched{Flags: state.Seen | state.Passed, Date: baseDate + 5, Body: string(r.Served(body))}
		want.UID = r.Other.Append(r.T, work, Message{Flags: want.Flags, Date: want.Date, Body: body})
		equal(r.T, name, r.fetch(want.UID), []fetched{want})
	}
}

func fetchTells(r *remoteRun) {
	var uids []state.UID
	for _, body := range oddMails() {
		uids = append(uids, r.Other.Append(r.T, work, Message{Date: baseDate, Body: body}))
	}
	messages, err := r.remote.Identify(r.ctx, r.ref(work), state.NewUIDSet(uids...))
	ok(r.T, err)
	got, want := make(map[state.UID]int64), make(map[state.UID]int64)
	for _, m := range messages {
		want[m.UID] = m.Identity.Size
	}
	ok(r.T, r.remote.Fetch(r.ctx, r.ref(work), state.NewUIDSet(uids...), func(in state.Incoming) error {
		got[in.UID] = in.Told
		_, err := io.Copy(io.Discard, in.Body)
		return err
	}))
	equal(r.T, "the sizes", got, want)
}

func fetchVanished(r *remoteRun) {
	uids := r.fill(4)
	r.Other.Expunge(r.T, work, uids[1])
	got := r.fetch(uids[0], uids[1], uids[2], uids[3]+100)
	if len(got) != 2 || got[0].UID != uids[0] || got[1].UID != uids[2] {
		r.Errorf("fetched %+v", got)
	}
}

func fetchNothing(r *remoteRun) {
	r.fill(1)
	equal(r.T, "what was fetched", r.fetch(), []fetched(nil))
}

func fetchGeneration(r *remoteRun) {
	uids := r.fill(1)
	err := r.remote.Fetch(r.ctx, r.wrongRef(), state.NewUIDSet(uids...), func(state.Incoming) error {
		r.Error("a body of another generation was handed out")
		return nil
	})
	wantCause(r.T, err, state.CauseGeneration)
}

func fetchEachFails(r *remoteRun) {
	uids := r.fill(5)
	full := errors.New("no room")
	calls := 0
	err := r.remote.Fetch(r.ctx, r.ref(work), state.NewUIDSet(uids...), func(in state.Incoming) error {
		if calls++; calls == 2 {
			return full
		}
		_, err := io.Copy(io.Discard, in.Body)
		return err
	})
	if !errors.Is(err, full) {
		r.Errorf("fetch returned %v, want the error of each", err)
	}
	equal(r.T, "the number of calls", calls, 2)
}

func fetchUnread(r *remoteRun) {
	uids := r.fill(3)
	var got []state.UID
	err := r.remote.Fetch(r.ctx, r.ref(work), state.NewUIDSet(uids...), func(in state.Incoming) error {
		got = append(got, in.UID)
		_, err := io.CopyN(io.Discard, in.Body, int64(10*(len(got)-1)))
		return err
	})
	ok(r.T, err)
	equal(r.T, "the messages handed out", got, uids)
}

func usable(r *remoteRun) {
	uids := r.fill(1)
	if err := r.remote.Fetch(r.ctx, r.wrongRef(), state.NewUIDSet(uids...), nil); state.ScopeOf(err) != state.ScopeMailbox {
		r.Errorf("another generation is the error %v", err)
	}
	if !r.remote.Usable() {
		r.Error("an error about a mailbox ended the connection")
	}
	ok(r.T, r.remote.Close())
	if r.remote.Usable() {
		r.Error("a connection that was closed is said to be usable")
	}
}

func appendCases() []remoteCase {
	return []remoteCase{
		{"append keeps bytes, flags and date", appendRoundTrip},
		{"append tells each outcome in order", appendBatch},
		{"append refuses another generation", appendGeneration},
		{"append into a missing mailbox", appendMissing},
		{"append of a message too large spares the others", appendTooLarge},
		{"append over quota", appendQuota},
		{"append into a read-only mailbox", appendReadOnly},
		{"append goes on after a file that cannot be opened", appendOpenFails},
		{"append of a body that is too short uploads nothing", appendShort},
	}
}

// upload returns an Upload of the bytes.
func upload(key string, body []byte, flags state.Flags) state.Upload {
	return state.Upload{
		Key: state.Key(key), Flags: flags, Date: baseDate, Size: int64(len(body)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
}

func appendRoundTrip(r *remoteRun) {
	for name, body := range oddMails() {
		outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{upload("odd", body, state.Flagged|state.Passed)})
		if len(outcomes) != 1 || outcomes[0].Err != nil {
			r.Errorf("%s: outcome %+v", name, outcomes)
			continue
		}
		all := r.Other.Messages(r.T, work)
		got := all[len(all)-1]
		equal(r.T, name, got, Message{UID: got.UID, Flags: state.Flagged | state.Passed, Date: baseDate, Body: r.Served(body)})
	}
}

func appendBatch(r *remoteRun) {
	r.fill(2)
	var uploads []state.Upload
	for i := range 20 {
		uploads = append(uploads, upload(fmt.Sprintf("key-%d", i), Mail(100+i), 0))
	}
	ref := r.ref(work)
	outcomes := r.remote.Append(r.ctx, ref, uploads)
	equal(r.T, "the number of outcomes", len(outcomes), len(uploads))
	arrived := r.Other.Messages(r.T, work)[2:]
	for i, out := range outcomes {
		ok(r.T, out.Err)
		want := state.Uploaded{Key: uploads[i].Key, UID: arrived[i].UID, UIDValidity: ref.UIDValidity}
		if r.NoUIDPlus {
			want.UID, want.UIDValidity = 0, out.UIDValidity
		}
		equal(r.T, "the outcome", out, want)
		equal(r.T, "the body", string(arrived[i].Body), string(Mail(100+i)))
	}
}

func appendGeneration(r *remoteRun) {
	outcomes := r.remote.Append(r.ctx, r.wrongRef(), []state.Upload{upload("a", Mail(1), 0), upload("b", Mail(2), 0)})
	equal(r.T, "the number of outcomes", len(outcomes), 2)
	for _, out := range outcomes {
		wantCause(r.T, out.Err, state.CauseGeneration)
	}
	equal(r.T, "the messages", r.uidsOf(work), []state.UID(nil))
}

func appendMissing(r *remoteRun) {
	outcomes := r.remote.Append(r.ctx, state.Ref{Mailbox: "No such mailbox", UIDValidity: 1}, []state.Upload{upload("a", Mail(1), 0)})
	equal(r.T, "the number of outcomes", len(outcomes), 1)
	wantCause(r.T, outcomes[0].Err, state.CauseGone)
	if _, found := r.listed("No such mailbox"); found {
		r.Error("append created the mailbox")
	}
}

func appendTooLarge(r *remoteRun) {
	if r.Limit == nil {
		r.Skip("the server cannot limit the size of messages")
	}
	r.Limit(r.T, 10_000)
	large := append(Mail(2), bytes.Repeat([]byte("A line.\r\n"), 2000)...)
	outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{
		upload("a", Mail(1), 0), upload("large", large, 0), upload("c", Mail(3), 0),
	})
	equal(r.T, "the number of outcomes", len(outcomes), 3)
	ok(r.T, outcomes[0].Err)
	wantCause(r.T, outcomes[1].Err, state.CauseTooLarge)
	ok(r.T, outcomes[2].Err)
	equal(r.T, "the number of messages", len(r.uidsOf(work)), 2)
}

func appendQuota(r *remoteRun) {
	if r.Quota == nil {
		r.Skip("the server has no quota")
	}
	r.Quota(r.T, 3000)
	large := append(Mail(2), bytes.Repeat([]byte("A line.\r\n"), 2000)...)
	outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{upload("a", Mail(1), 0), upload("large", large, 0)})
	equal(r.T, "the number of outcomes", len(outcomes), 2)
	ok(r.T, outcomes[0].Err)
	wantCause(r.T, outcomes[1].Err, state.CauseQuota)
	equal(r.T, "the number of messages", len(r.uidsOf(work)), 1)
}

func appendReadOnly(r *remoteRun) {
	if r.ReadOnly == nil {
		r.Skip("mailboxes cannot be made read-only")
	}
	r.ReadOnly(r.T, work)
	outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{upload("a", Mail(1), 0)})
	equal(r.T, "the number of outcomes", len(outcomes), 1)
	wantCause(r.T, outcomes[0].Err, state.CauseReadOnly)
}

func appendOpenFails(r *remoteRun) {
	gone := upload("gone", Mail(2), 0)
	gone.Open = func() (io.ReadCloser, error) {
		return nil, &state.Error{Scope: state.ScopeMessage, Cause: state.CauseStale, Doing: "open the file"}
	}
	outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{upload("a", Mail(1), 0), gone, upload("c", Mail(3), 0)})
	equal(r.T, "the number of outcomes", len(outcomes), 3)
	ok(r.T, outcomes[0].Err)
	if outcomes[1].Err == nil {
		r.Error("the message whose file could not be opened has no error")
	}
	ok(r.T, outcomes[2].Err)
	equal(r.T, "the number of messages", len(r.uidsOf(work)), 2)
}

func appendShort(r *remoteRun) {
	short := upload("short", Mail(1), 0)
	short.Size += 10
	outcomes := r.remote.Append(r.ctx, r.ref(work), []state.Upload{short})
	equal(r.T, "the number of outcomes", len(outcomes), 1)
	if outcomes[0].Err == nil {
		r.Error("the upload has no error")
	}
	equal(r.T, "the messages", r.uidsOf(work), []state.UID(nil))
}
