package plan

import (
	"mailmoor/conflict"
	"mailmoor/state"
)

// decide turns the decision about one message with a record into operations.
func (b *builder) decide(v *view, e *entry) {
	if e.renumbered {
		b.renumber(v, e)
	}
	if e.copied != nil {
		b.finishCopy(v, e)
		return
	}
	if e.base.State == state.Lost && e.remote == conflict.RemoteAbsent {
		b.decideLost(v, e)
		return
	}
	place := v.Mailbox
	if e.to != nil {
		// The flags that count are those of the mailbox where it lies now.
		place = e.to
	}
	local, now := e.wished()
	if e.successor != nil {
		local = conflict.LocalReplaced
	}
	d := conflict.Decide(conflict.Message{
		Known: true, Local: local, Remote: e.remote,
		BaseFlags: e.base.Flags &^ (e.base.LocalFlags & place.Shared()), LocalFlags: now.Flags, RemoteFlags: e.msg.Flags,
		Shared:     place.Shared(),
		Keywords:   e.keywords(place, now),
		SameTarget: e.at != nil && e.at == e.to,
	})
	op := Op{
		Base: e.base, Local: e.now, Remote: e.msg, Twin: e.twinBox(),
		WantLocal: d.Local, WantRemote: d.Remote, Agreed: d.Local, Tags: d.Tags, Why: d.Why,
		OnlyLocal: place.onlyLocal(d),
	}
	switch d.Action {
	case conflict.Nothing:
		b.settle(v, e, op)
	case conflict.SetFlags:
		op.Kind = SetFlags
		b.add(v, op)
	case conflict.Download, conflict.Upload:
		b.bringBack(v, e, op, d.Action)
	case conflict.Replace:
		b.replace(v, e, op)
	case conflict.RemoveLocal:
		op.Kind = RemoveLocal
		b.add(v, op)
	case conflict.RemoveRemote:
		op.Kind, op.Final = RemoveRemote, b.final(v)
		op.Dest = b.in.Trash
		b.add(v, op)
	case conflict.Forget:
		op.Kind = Forget
		b.add(v, op)
	case conflict.MoveLocal, conflict.MoveRemote, conflict.Repair:
		b.move(v, e, op, d.Action)
	case conflict.Wait:
		b.open(v.Name)
		for _, other := range []*Mailbox{e.at, e.to} {
			if other != nil { // what was seen there belongs to this message
				b.open(other.Name)
			}
		}
	case conflict.Pair, conflict.KeepBoth:
		// These are for messages without a base.
	}
}

// keywords are those of the message when it lies in the mailbox place, and the file is now
// as given.
func (e *entry) keywords(place *Mailbox, now state.LocalMessage) conflict.Keywords {
	return conflict.Keywords{
		Base: e.base.Keywords, Own: e.base.LocalKeywords, Local: now.Keywords, Remote: e.msg.Keywords, Stored: place.Stores(),
	}
}

// renumber gives the record the UID under which the server shows the message
// now, as servers do that have lost their index. What else became of the
// message is decided as usual.
func (b *builder) renumber(v *view, e *entry) {
	r := e.base
	b.add(v, Op{
		Kind: Settle, Base: r, Remote: e.msg, Agreed: r.Flags, OnlyLocal: r.LocalFlags, WantLocal: r.Flags, WantRemote: e.msg.Flags,
		Local: state.LocalMessage{Key: r.Key, Flags: r.Flags, Stat: r.Stat, Content: r.Content},
		Tags:  conflict.Tags{Agreed: r.Keywords, Own: r.LocalKeywords},
		Why:   "the server has given it another UID",
	})
	e.base.UID, e.base.Remote = e.msg.UID, e.msg.Identity
	e.remote = conflict.RemoteSame
	if e.msg.Flags != r.Flags || !e.msg.Keywords.Equal(r.Keywords) {
		e.remote = conflict.RemoteFlags
	}
}

// open notes that mailboxes have a change that waits.
func (b *builder) open(names ...string) {
	for _, name := range names {
		if name != "" && !b.opens[name] {
			b.opens[name] = true
			b.plan.Open = append(b.plan.Open, name)
		}
	}
}

// settle records what both sides agree on where the record does not say so
// yet: a renamed file, the same change on both sides, a touched file.
func (b *builder) settle(v *view, e *entry, op Op) {
	r := op.Base
	if e.renumbered {
		b.resettle(op)
		return
	}
	if r.Key == op.Local.Key && r.Stat == op.Local.Stat && !op.records() {
		return
	}
	op.Kind, op.Why = Settle, "both sides agree"
	b.add(v, op)
}

// resettle lets the operation that gives a record its new UID, the last one so far,
// also record what both sides agree on: no record can be put twice at once.
func (b *builder) resettle(op Op) {
	last := &b.plan.Ops[len(b.plan.Ops)-1]
	last.Local, last.WantLocal, last.WantRemote = op.Local, op.WantLocal, op.WantRemote
	last.Agreed, last.OnlyLocal, last.Tags = op.Agreed, op.OnlyLocal, op.Tags
}

// bringBack plans for a message that is gone from one side and was changed on the other.
func (b *builder) bringBack(v *view, e *entry, op Op, action conflict.Action) {
	if e.twin != nil {
		b.removeTwin(v, e, op)
		return
	}
	if action == conflict.Download {
		v.wanted = v.wanted.Add(e.base.UID)
		return
	}
	b.reupload(v, e, op)
}

// reupload brings a message back that the server has lost or deleted, into the
// mailbox of the folder where its file lies now.
func (b *builder) reupload(v *view, e *entry, op Op) {
	dest := v
	if e.at != nil {
		dest = b.viewOf(e.at)
	}
	file := e.now
	file.Flags, file.Keywords = op.WantLocal, op.Tags.Local
	b.add(dest, Op{Kind: Upload, Files: []state.LocalMessage{file}, Base: e.base, Local: e.now, Why: op.Why})
}

// move plans a message that changed its place on one side or on both.
func (b *builder) move(v *view, e *entry, op Op, action conflict.Action) {
	switch action {
	case conflict.MoveRemote:
		op.Kind = MoveRemote
		op.Dest, op.DestFolder, op.Folder = e.at.Name, e.at.Folder, e.at.Folder
		if e.at.readOnly() && b.in.Direction != Pull {
			b.refuseReadOnly(b.viewOf(e.at), op)
			return
		}
		b.add(v, op)
	case conflict.MoveLocal:
		op.Kind = MoveLocal
		op.Dest, op.DestFolder = e.to.Name, e.to.Folder
		if e.at != nil {
			op.Folder = e.at.Folder
		}
		b.add(v, op)
	default:
		// Both sides have it in the same new place: only the record moves.
		op.Kind = Pair
		op.Why = "moved to the same place on both sides"
		b.add(b.viewOf(e.to), op)
	}
}

// final reports whether a removal from the mailbox cannot be undone.
func (b *builder) final(v *view) bool {
	return b.in.Trash == "" || v.Name == b.in.Trash || v.Role == state.RoleTrash
}

func (b *builder) viewOf(m *Mailbox) *view { return b.byBox[m] }

// retry plans for the records that are not paired: stuck ones whose time has
// come, and deleted ones that are gone at last or wanted again.
func (b *builder) retry(v *view) {
	goneUID := make(map[state.UID]bool)
	for _, r := range v.Remote.Gone {
		goneUID[r.UID] = true
	}
	undeleted := make(map[state.UID]bool)
	for _, c := range v.Remote.Changed {
		undeleted[c.Base.UID] = c.Flags&state.Trashed == 0
	}
	local := localWaiting(v.Local)
	for _, r := range v.Waiting {
		op := Op{Base: r, Why: "trying again: " + r.Retry.Reason}
		due := r.Retry.NextAt <= b.in.Now
		switch {
		case v.answered[r.Key]:
			continue
		case r.State == state.UploadStuck && local[r.Key].missing, r.UID != 0 && goneUID[r.UID]:
			op.Kind, op.Why = Forget, "gone"
		case r.State == state.UploadStuck && (due || local[r.Key].edited):
			op.Kind, op.Files = Upload, []state.LocalMessage{local[r.Key].file(r)}
		case r.State == state.Excluded && b.in.Reach.Has(r.Remote, b.in.Now):
			op.Kind, op.UIDs, op.Why = Download, state.NewUIDSet(r.UID), "not too large or too old any more"
		case r.State == state.DownloadStuck && due:
			op.Kind, op.UIDs = Download, state.NewUIDSet(r.UID)
		case r.State == state.Expunging && r.Flags&state.Trashed == 0:
			// Its successor is on the server.
			op.Kind, op.Final, op.Why = Retire, true, "replaced by an edited version"
			op.Remote = state.RemoteMessage{UID: r.UID, Flags: r.Flags, Keywords: r.Keywords, Identity: r.Remote}
		case r.State == state.Expunging && undeleted[r.UID]:
			op.Kind, op.UIDs, op.Why = Download, state.NewUIDSet(r.UID), "undeleted on the server"
		default:
			continue
		}
		b.add(v, op)
	}
}

// waiting is what a folder says of a stuck upload.
type waiting struct {
	missing, edited bool
	now             *state.LocalMessage
}

func localWaiting(d *state.LocalDelta) map[state.Key]waiting {
	m := make(map[state.Key]waiting)
	for _, c := range d.Changed {
		if c.Base.State == state.UploadStuck {
			m[c.Base.Key] = waiting{edited: c.Edited, now: &c.Now}
		}
	}
	for _, r := range d.Missing {
		if r.State == state.UploadStuck {
			m[r.Key] = waiting{missing: true}
		}
	}
	return m
}

// file returns the file as it is now, from the record where nothing changed.
func (w waiting) file(r state.Record) state.LocalMessage {
	if w.now == nil {
		return recordedFile(r)
	}
	return complete(*w.now, r)
}
