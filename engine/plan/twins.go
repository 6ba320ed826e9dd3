package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// A client that knows no MOVE copies a message and removes it later. A run in between
// takes the copy for a new message and brings it to the other side. When the message
// then goes from where it was it is new nowhere any more, but it has a twin.

// findTwins gives each message that is gone from one side, and that nothing else
// explains, its twin: a message of the same content that both sides have in another
// mailbox. It gets what was changed about the one that goes. No message is the twin of
// two.
func (b *builder) findTwins() {
	taken := make(map[*entry]bool)
	for _, v := range b.views {
		for _, e := range v.entries {
			if !v.known() {
				break
			}
			for _, r := range b.in.Elsewhere[e.base.Content.PlainDigest()] {
				twin := b.viewNamed(r.Mailbox).twin(r)
				if twin != nil && r.Mailbox != v.Name && !taken[twin] && e.goesFor(twin) {
					taken[twin], e.twin = true, twin
					e.handOver()
					break
				}
			}
		}
	}
}

// twin returns the entry of a record that may be the twin of another one, nil if it may
// not. What lies in Trash or Junk goes from there by itself.
func (v *view) twin(r state.Record) *entry {
	if v == nil || !v.known() || v.Doubt != state.Believed || v.Role == state.RoleTrash || v.Role == state.RoleJunk {
		return nil
	}
	if e := v.entry(r); e != nil && e.here() && e.there() {
		return e
	}
	return nil
}

// here reports whether the file is where it was and holds what it held, there whether the
// message is in its mailbox, and nobody has marked it deleted.
func (e *entry) here() bool { return e.local == conflict.LocalSame || e.local == conflict.LocalFlags }

func (e *entry) there() bool {
	return e.remote == conflict.RemoteSame || e.remote == conflict.RemoteFlags
}

// goesFor reports whether the message is gone from one side, and is only to go from the
// other one when it has this twin. A file that was filed elsewhere stays there.
func (e *entry) goesFor(twin *entry) bool {
	switch e.local {
	case conflict.LocalAbsent:
		return e.there() || e.remote == conflict.RemoteDeleted
	case conflict.LocalMoved:
		return e.remote == conflict.RemoteAbsent && e.at.Name == twin.base.Mailbox
	default:
		return e.remote == conflict.RemoteAbsent && e.here()
	}
}

// handOver lets the twin have what was changed about a message on the side that still has
// it. That it was marked deleted there is about that one alone.
func (e *entry) handOver() {
	now, keywords := e.now.Flags, e.now.Keywords
	if e.local == conflict.LocalAbsent {
		now, keywords = e.msg.Flags, e.msg.Keywords
	}
	e.twin.gain, e.twin.lose = now&^e.base.Flags&^state.Trashed, e.base.Flags&^now&^state.Trashed
	e.twin.gainTags = keywords.Without(e.base.AllKeywords())
}

// wished is what the file shows, with what was handed over as if it had been changed there.
func (e *entry) wished() (conflict.Local, state.LocalMessage) {
	now := e.now
	now.Flags, now.Keywords = (now.Flags|e.gain)&^e.lose, now.Keywords.Union(e.gainTags)
	if e.local == conflict.LocalSame && (now.Flags != e.now.Flags || !now.Keywords.Equal(e.now.Keywords)) {
		return conflict.LocalFlags, now
	}
	return e.local, now
}

// twinBox is the mailbox of the twin, empty without one.
func (e *entry) twinBox() string {
	if e.twin == nil {
		return ""
	}
	return e.twin.base.Mailbox
}

// removeTwin plans the removal of what is left of a message that has a twin.
func (b *builder) removeTwin(v *view, e *entry, op Op) {
	op.Why = state.Textf("gone from one side, and in %s on both", op.Twin)
	switch {
	case e.local == conflict.LocalAbsent:
		op.Kind, op.Final, op.Dest = RemoveRemote, b.final(v), b.in.Trash
	case e.at != nil:
		op.Kind, op.Folder = RemoveLocal, e.at.Folder
	default:
		op.Kind = RemoveLocal
	}
	b.add(v, op)
}

// seek notes that it matters whether messages of the mailbox have twins. Until that has
// been looked for, the plan is not one to be carried out.
func (b *builder) seek(records ...state.Record) {
	if b.in.Elsewhere != nil {
		return
	}
	for _, r := range records {
		b.plan.Sought = append(b.plan.Sought, r.Content.PlainDigest())
	}
}

// seekUIDs is seek for messages of a mailbox that have records.
func (b *builder) seekUIDs(v *view, uids state.UIDSet) {
	for uid := range uids.All() {
		if e := v.byUID[uid]; e != nil {
			b.seek(e.base)
		}
	}
}

// whereElse says how many messages of a hold have a twin, and where; "" if none has. Nobody
// knows when those got there: they may be copies of old. What got there after the messages
// went has moved, and is not held.
func (v *view) whereElse(held func(*entry) bool) state.Text {
	n, names := 0, []string(nil)
	for _, e := range v.entries {
		if e.twin == nil || !held(e) {
			continue
		}
		n++
		if name := e.twin.base.Mailbox; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if n == 0 {
		return ""
	}
	slices.Sort(names)
	const namesMax = 3
	if len(names) > namesMax {
		names = append(names[:namesMax], "others")
	}
	return state.Textf("; %d of them %s in %s as well", n, isOrAre(n), state.List(names))
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
