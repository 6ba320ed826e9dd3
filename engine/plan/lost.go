package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// A message that the server has lost stays where it is until the user says what
// becomes of it: approved, its file goes to the hold area; rejected, it is
// uploaded again. When the server shows it again it is paired as before.

// lone is a record without a UID, with its file as it is now.
type lone struct {
	record state.Record
	local  conflict.Local
	file   state.LocalMessage // unless it is absent
}

// recordedFile is the file of a record as the record has it.
func recordedFile(r state.Record) state.LocalMessage {
	return state.LocalMessage{
		Key: r.Key, Flags: r.Flags, Keywords: r.AllKeywords(), Stat: r.Stat, Content: r.Content, Date: r.Remote.Date,
	}
}

// hasAlone reports whether the mailbox has records of files without a message:
// lost ones, and uploads that were refused.
func hasAlone(m *Mailbox) bool {
	return slices.ContainsFunc(m.Waiting, alone)
}

func alone(r state.Record) bool { return r.State == state.Lost || r.State == state.UploadStuck }

// allAlone returns the files without a message.
func allAlone(m *Mailbox) []lone {
	if !hasAlone(m) {
		return nil
	}
	changed, missing := make(map[state.Key]state.LocalChange), make(map[state.Key]bool)
	if m.Local != nil {
		for _, c := range m.Local.Changed {
			changed[c.Base.Key] = c
		}
		for _, r := range m.Local.Missing {
			missing[r.Key] = true
		}
	}
	var all []lone
	for _, r := range m.Waiting {
		if !alone(r) {
			continue
		}
		l := lone{record: r, local: conflict.LocalSame, file: recordedFile(r)}
		c, isChanged := changed[r.Key]
		switch {
		case m.Local == nil:
			l.local = conflict.LocalUnknown
		case missing[r.Key]:
			l.local, l.file = conflict.LocalAbsent, state.LocalMessage{}
		case isChanged:
			l.local, l.file = localState(c), complete(c.Now, r)
		}
		all = append(all, l)
	}
	return all
}

// joinLost makes entries of the lost messages: absent on the server until they
// are found there.
func (v *view) joinLost() {
	for _, l := range allAlone(v.Mailbox) {
		if l.record.State != state.Lost {
			continue
		}
		e := &entry{base: l.record, local: l.local, remote: conflict.RemoteAbsent, now: l.file}
		if v.Remote == nil {
			e.remote = conflict.RemoteUnknown
		}
		v.entries = append(v.entries, e)
	}
}

// pairable returns the files without a message that are there and hold what they
// held: a new message can turn out to be theirs.
func pairable(m *Mailbox) (all []lone, files []state.LocalMessage) {
	for _, l := range allAlone(m) {
		if l.local == conflict.LocalSame || l.local == conflict.LocalFlags {
			all, files = append(all, l), append(files, l.file)
		}
	}
	return all, files
}

// decideLost plans for a lost message that the server still does not show.
func (b *builder) decideLost(v *view, e *entry) {
	op := Op{Base: e.base, Local: e.now, Twin: e.twinBox(), WantLocal: e.now.Flags, Agreed: e.now.Flags}
	op.Tags.Local = e.base.AllKeywords().Union(e.now.Keywords)
	switch e.local {
	case conflict.LocalAbsent:
		op.Kind, op.Why = Forget, "gone on both sides"
		b.add(v, op)
	case conflict.LocalEdited:
		op.Why = "lost by the server, but edited here"
		b.reupload(v, e, op)
	case conflict.LocalMoved:
		if e.twin != nil {
			b.removeTwin(v, e, op) // held like the others
			return
		}
		b.seek(e.base)
		op.Why = "lost by the server, but moved here"
		b.reupload(v, e, op)
	case conflict.LocalUnknown, conflict.LocalNew:
		b.open(v.Name)
	case conflict.LocalSame, conflict.LocalFlags:
		op.Kind, op.Why = RemoveLocal, "lost by the server"
		b.add(v, op) // held until the user decides
	}
}

// guardLost decides the removals of messages that the server has lost: none
// happens without the user's word.
func (b *builder) guardLost(v *view, group []Op) {
	var open *state.Hold
	var decided []state.Hold
	for _, h := range b.in.Holds {
		switch {
		case h.Mailbox != v.Name || h.Lost == 0:
		case h.Decision == state.Undecided:
			open = &h
		default:
			decided = append(decided, h)
		}
	}
	if v.doubted {
		b.keepHolds(open, decided, group)
		return
	}
	var rest []Op
	needed := make(map[int64]bool)
	for _, op := range group {
		i := slices.IndexFunc(decided, func(h state.Hold) bool { return op.Base.Since <= h.Through })
		if i < 0 {
			rest = append(rest, op)
			continue
		}
		needed[decided[i].ID] = true
		if decided[i].Decision == state.Approved {
			b.plan.Ops = append(b.plan.Ops, op)
		} else {
			b.reject(v, op)
		}
	}
	for _, h := range decided {
		if needed[h.ID] {
			b.plan.Holds = append(b.plan.Holds, h)
		}
	}
	if len(rest) == 0 {
		return
	}
	hold := state.Hold{Mailbox: v.Name, Missing: state.Remote, Created: b.in.Now}
	if open != nil {
		hold = *open
	}
	hold.Lost, hold.Through = len(rest), 0
	for _, op := range rest {
		hold.Through = max(hold.Through, op.Base.Since)
	}
	if open == nil || open.Lost != hold.Lost || open.Through != hold.Through {
		for _, op := range rest {
			b.seek(op.Base)
		}
		hold.Reason = "the server lost these messages when the mailbox was renumbered, replaced or restored" +
			v.whereElse(func(e *entry) bool { return e.base.State == state.Lost })
	}
	b.plan.Holds = append(b.plan.Holds, hold)
}
