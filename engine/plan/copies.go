package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// Without MOVE a message is moved by a copy, and then removed. When that is
// interrupted in between, the copy is new where the message was to go, and the
// message is still where it was: it must not be copied once more.

// matchCopies finds such copies, by what the server says of them or by what they say.
func (b *builder) matchCopies() {
	for _, v := range b.views {
		if !v.known() {
			continue
		}
		for _, e := range v.entries {
			if there := e.remote == conflict.RemoteSame || e.remote == conflict.RemoteFlags || e.remote == conflict.RemoteDeleted; !there {
				continue
			}
			switch {
			case e.local == conflict.LocalMoved:
				e.copied = b.viewOf(e.at).takeCopy(e.base, true)
			case e.local == conflict.LocalAbsent && !b.final(v) && !b.undecided(v, e.base.UID):
				if trash := b.viewNamed(b.in.Trash); trash != nil {
					e.copied = trash.takeCopy(e.base, false)
				}
			}
		}
	}
}

// awaitTrash lets removals wait while nobody knows what lies in Trash: the message may
// have been copied there already. They wait, too, while Trash is gone.
func (b *builder) awaitTrash() {
	trash := b.viewNamed(b.in.Trash)
	unseen := trash != nil && (trash.RemoteFailed || trash.LocalFailed)
	if !unseen && !b.in.TrashGone {
		return
	}
	waiting := 0
	b.plan.Ops = slices.DeleteFunc(b.plan.Ops, func(op Op) bool {
		waits := op.Kind == RemoveRemote && !op.Final
		if waits {
			waiting++
			b.open(op.Mailbox, b.in.Trash)
		}
		return waits
	})
	if b.in.TrashGone && waiting > 0 {
		b.plan.Problems = append(b.plan.Problems, state.Problem{
			Scope: state.ScopeMailbox, Mailbox: b.in.Trash,
			Text: "the mailbox is gone from the server: what was deleted here stays there, because that is where it would go",
			Hint: `make the mailbox again, or name another one in the configuration with roles.trash; delete = "expunge" does without`,
		})
	}
}

// undecided reports whether the removal of the message waits for the user, or was
// rejected: then a copy of it, whoever made it, is no reason to remove it.
func (b *builder) undecided(v *view, uid state.UID) bool {
	open, decided := b.holdsOf(v.Name, state.Local)
	return open != nil && open.UIDs.Contains(uid) || decisionFor(decided, uid) == state.Rejected
}

// takeCopy returns a new message that is a copy of the record's, and takes it out of the
// new ones if it is to be paired with a file.
func (v *view) takeCopy(r state.Record, pair bool) *state.RemoteMessage {
	if !v.known() || !tells(HeaderOf(r)) {
		return nil
	}
	for i, m := range v.newRemote {
		if v.copies[m.UID] || !mayBeCopy(r, m) || m.Identity != r.Remote && !m.Content.Same(r.Content) {
			continue
		}
		v.copies[m.UID] = true
		if pair {
			v.newRemote = without(v.newRemote, func(j int) bool { return j == i })
		}
		return &m
	}
	return nil
}

// mayBeCopy reports whether a message can be a copy that the server made of the record's:
// such a copy keeps the date. RFC 9051, section 6.4.7.
func mayBeCopy(r state.Record, m state.RemoteMessage) bool {
	return m.Identity.Header == HeaderOf(r) && m.Identity.Date == r.Remote.Date
}

// unreadCopies returns the new messages, by mailbox, of which only the contents tell
// whether a move has left them there.
func unreadCopies(mailboxes []Mailbox) map[int][]state.UID {
	headers := make(map[state.Digest][]absentee) // of messages without a file
	for i, m := range mailboxes {
		if !m.known() {
			continue
		}
		gone := make(map[state.UID]bool)
		for _, r := range m.Remote.Gone {
			gone[r.UID] = true
		}
		for _, r := range m.Local.Missing {
			if h := HeaderOf(r); r.State == state.Paired && !gone[r.UID] && tells(h) {
				headers[h] = append(headers[h], absentee{i, r})
			}
		}
	}
	unread := make(map[int][]state.UID)
	for i, m := range mailboxes {
		if !m.known() || len(headers) == 0 {
			continue
		}
		for _, r := range m.Remote.New {
			if r.Content.Digest == (state.Digest{}) && slices.ContainsFunc(headers[r.Identity.Header], func(a absentee) bool {
				return a.box != i && a.record.Remote != r.Identity && mayBeCopy(a.record, r)
			}) {
				unread[i] = append(unread[i], r.UID)
			}
		}
	}
	return unread
}

// finishCopy plans the rest of an interrupted move: the file belongs to the
// copy, and the message goes from where it was.
func (b *builder) finishCopy(v *view, e *entry) {
	if e.local == conflict.LocalMoved {
		dest := b.viewOf(e.at)
		op := Op{Kind: Pair, Local: e.now, Remote: *e.copied, Supersedes: e.base, Why: "a move was interrupted"}
		b.add(dest, op.agreeing(dest.Mailbox, e.base.AllKeywords()))
	}
	if e.local == conflict.LocalAbsent {
		// Once the copy has been downloaded it is not new any more, and nothing
		// but the record tells that the message need not be copied again.
		b.add(v, Op{Kind: Depart, Base: e.base, Remote: e.msg, Dest: b.in.Trash, Why: "a move was interrupted"})
	}
	b.add(v, Op{Kind: Retire, Base: e.base, Local: e.now, Remote: e.msg, Final: true, Why: "a move was interrupted"})
}

func (b *builder) viewNamed(name string) *view {
	for _, v := range b.views {
		if v.Name == name && name != "" {
			return v
		}
	}
	return nil
}
