package conformance

import (
	"slices"

	"mailmoor/state"
)

func listCases() []remoteCase {
	return []remoteCase{
		{"list shows INBOX and mailboxes", listMailboxes},
		{"list status follows the mailbox", listStatus},
		{"create shows in the list", createShows},
		{"create twice keeps the mailbox", createTwice},
		{"create takes odd names", createOdd},
		{"next follows arrivals", nextFollows},
		{"next of a missing mailbox", nextMissing},
		{"a closed connection is of no use", closedFails},
	}
}

// listed returns the mailbox's line of the list.
func (r *remoteRun) listed(name string) (state.RemoteMailbox, bool) {
	r.Helper()
	list, err := r.remote.List(r.ctx)
	ok(r.T, err)
	i := slices.IndexFunc(list, func(m state.RemoteMailbox) bool { return m.Name == name })
	if i < 0 {
		return state.RemoteMailbox{}, false
	}
	if slices.ContainsFunc(list[i+1:], func(m state.RemoteMailbox) bool { return m.Name == name }) {
		r.Errorf("mailbox %q is listed twice", name)
	}
	return list[i], true
}

func listMailboxes(r *remoteRun) {
	inbox, found := r.listed("INBOX")
	if !found || inbox.Role != state.RoleInbox || inbox.NoSelect {
		r.Errorf("INBOX: found %v, %+v", found, inbox)
	}
	if m, found := r.listed(work); !found || m.Role != state.RoleNone || m.NoSelect {
		r.Errorf("%s: found %v, %+v", work, found, m)
	}
}

func listStatus(r *remoteRun) {
	m := &mirror{}
	r.follow(m)
	before, _ := r.listed(work)
	if before.Status.UIDValidity == 0 {
		// A server without UNSELECT, such as Courier, is not asked for the status
		// of the mailbox that is open. A connection with none open tells it.
		following := r.remote
		defer func() { r.remote = following }()
		r.remote = r.Connect(r.T)
		r.Cleanup(func() { ok(r.T, following.Close()) })
		before, _ = r.listed(work)
	}
	if before.Status.UIDValidity == 0 {
		r.Skip("the list comes without status")
	}
	equal(r.T, "the status against SELECT", before.Status, m.cursor)
	uids := r.fill(1)
	after, _ := r.listed(work)
	if after.Status == before.Status || after.Status.UIDNext <= uids[0] || after.Status.Messages != 1 {
		r.Errorf("after an arrival the status is %+v, before it was %+v", after.Status, before.Status)
	}
	if m.cursor.Unchanged(after.Status) {
		r.Error("a status after an arrival proves that nothing changed")
	}
	r.follow(m)
	r.Other.SetFlags(r.T, work, uids[0], state.Seen)
	if after, _ = r.listed(work); m.cursor.Unchanged(after.Status) {
		r.Error("a status after a change of flags proves that nothing changed")
	}
}

func createShows(r *remoteRun) {
	ok(r.T, r.remote.Create(r.ctx, "Projects"))
	if m, found := r.listed("Projects"); !found || m.NoSelect {
		r.Errorf("the created mailbox: found %v, %+v", found, m)
	}
	d, err := r.remote.Delta(r.ctx, "Projects", state.Cursor{}, state.SeenSet{})
	ok(r.T, err)
	equal(r.T, "the messages of a created mailbox", d.Selected.Messages, uint32(0))
}

func createTwice(r *remoteRun) {
	uids := r.fill(2)
	before := r.ref(work)
	// Whether the second Create is an error is left open: after a lost answer
	// the next list tells.
	if err := r.remote.Create(r.ctx, work); err != nil {
		wantCause(r.T, err, state.CauseRefused)
	}
	equal(r.T, "the generation", r.ref(work), before)
	equal(r.T, "the messages", r.uidsOf(work), uids)
}

func createOdd(r *remoteRun) {
	inbox, _ := r.listed("INBOX")
	sub := "Lists" + string(inbox.Delimiter) + "go & IMAP"
	for _, name := range []string{"Entwürfe", "日本語", "a & b", "&", "peter~", `quote " and \`, "percent %", "ends with -", sub} {
		err := r.remote.Create(r.ctx, name)
		if r.Refuses(name) {
			wantCause(r.T, err, state.CauseRefused)
			continue
		}
		if err != nil {
			r.Errorf("create %q: %v", name, err)
			continue
		}
		if _, found := r.listed(name); !found {
			r.Errorf("%q was created and is not listed", name)
		}
		if _, err := r.remote.Next(r.ctx, name); err != nil {
			r.Errorf("next of %q: %v", name, err)
		}
	}
}

func nextFollows(r *remoteRun) {
	before, err := r.remote.Next(r.ctx, work)
	ok(r.T, err)
	uids := r.fill(2)
	after, err := r.remote.Next(r.ctx, work)
	ok(r.T, err)
	if before.UIDValidity == 0 || before.UIDNext > uids[0] {
		r.Errorf("next was %+v before UID %d arrived", before, uids[0])
	}
	if after.UIDValidity != before.UIDValidity || after.UIDNext <= uids[1] {
		r.Errorf("next is %+v after UID %d arrived", after, uids[1])
	}
	d := r.look(&mirror{})
	equal(r.T, "UIDNEXT of SELECT", d.Selected.UIDNext, after.UIDNext)
}

func nextMissing(r *remoteRun) {
	_, err := r.remote.Next(r.ctx, "No such mailbox")
	wantCause(r.T, err, state.CauseGone)
	r.ref(work)
}

func closedFails(r *remoteRun) {
	uids := r.fill(1)
	ref := r.ref(work)
	ok(r.T, r.remote.Close())
	if _, err := r.remote.List(r.ctx); state.ScopeOf(err) < state.ScopeAccount || err == nil {
		r.Errorf("list on a closed connection: %v", err)
	}
	if _, err := r.remote.Expunge(r.ctx, ref, state.NewUIDSet(uids...)); state.ScopeOf(err) < state.ScopeAccount || err == nil {
		r.Errorf("expunge on a closed connection: %v", err)
	}
	for _, out := range r.remote.Append(r.ctx, ref, []state.Upload{upload("a", Mail(1), 0)}) {
		if out.Err == nil {
			r.Error("append on a closed connection has no error")
		}
	}
	equal(r.T, "the messages", r.uidsOf(work), uids)
}
