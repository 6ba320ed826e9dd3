package plan

import (
	"fmt"
	"slices"

	"mailmoor/state"
)

// The records of a mailbox are in doubt when their UIDs may name other messages
// than they did, or when the whole base is of another time than the tree. They
// are then matched afresh with everything that the server shows. Nothing is
// transferred, removed or changed for that: only the records change, and the
// next round looks at the mailbox as at any other.

// Rematching is what becomes of the records of a mailbox that were in doubt.
type Rematching struct {
	// Drop are the records as they were, Put as they shall be.
	Drop, Put []state.Record
	// Cursor is that of the listing they were matched with.
	Cursor state.Cursor
	// Found is how many messages were found again, Lost how many were not,
	// although their files are there.
	Found, Lost int
}

// inDoubt reports whether the mailbox's records must be matched afresh, and
// whether all that takes is known.
func (m *Mailbox) inDoubt() (doubt, ready bool) {
	doubt = m.Doubt != state.Believed
	return doubt, doubt && !m.Suspended && m.Local != nil && !m.LocalFailed && m.Relisted != nil
}

// rematch plans the matching for all mailboxes in doubt.
func (b *builder) rematch() {
	for _, v := range b.views {
		doubt, ready := v.inDoubt()
		switch {
		case !doubt:
		case !ready, v.Doubt == state.DoubtBase && len(v.Local.Missing) > 0 && b.hidden():
			b.open(v.Name)
		default:
			b.rematchView(v)
		}
	}
}

func (b *builder) rematchView(v *view) {
	r := newRematcher(v.Mailbox)
	r.match()
	there := v.there()
	result := r.result(there, b.missedAt(v.Name))
	b.carryHolds(v, r.removals(result, there))
	why := "the server has renumbered, replaced or restored the mailbox"
	if v.Doubt == state.DoubtBase {
		why = "state and tree are not of the same time"
	}
	v.rematched = true
	b.add(v, Op{Kind: Rematch, Rematching: &result, Why: why})
}

// hidden reports whether there are files that could not be looked at: one that is
// missing elsewhere may be among them.
func (b *builder) hidden() bool {
	return slices.ContainsFunc(b.in.Mailboxes, func(m Mailbox) bool {
		return m.LocalFailed || m.Local != nil && len(m.Local.Unread) > 0
	})
}

// missedAt is the time from which on messages count as lost: later than what the
// user has decided about, whatever the clock says.
func (b *builder) missedAt(mailbox string) int64 {
	at := b.in.Now
	for _, h := range b.in.Holds {
		if h.Mailbox == mailbox && h.Lost > 0 {
			at = max(at, h.Through+1)
		}
	}
	return at
}

// carryHolds keeps removals of messages held whose files were missing before they
// got other UIDs. Whatever the user had decided, it was about other numbers: he
// is asked once more.
func (b *builder) carryHolds(v *view, removals state.UIDSet) {
	open, decided := b.holdsOf(v.Name, state.Local)
	if open != nil {
		decided = append(decided, *open)
	}
	if len(decided) == 0 || len(removals) == 0 {
		return
	}
	hold := decided[len(decided)-1]
	hold.ID, hold.Decision, hold.UIDs = 0, state.Undecided, removals
	b.plan.Holds = append(b.plan.Holds, hold)
}

// rematchWants is what must be known before the records can be matched.
func rematchWants(m *Mailbox) Wants {
	w := Wants{Mailbox: m.Name}
	for _, r := range m.Relisted.New {
		if r.Identity == (state.RemoteIdentity{}) {
			w.Identities = w.Identities.Add(r.UID)
		}
	}
	if len(w.Identities) == 0 {
		w.Contents = newRematcher(m).unread()
	}
	return w
}

// there returns the keys of records whose files changed and are there, in this
// folder or in another one, under whatever name.
func (v *view) there() map[state.Key]bool {
	there := make(map[state.Key]bool)
	for _, e := range v.entries {
		there[e.base.Key] = e.now.Key != ""
	}
	return there
}

// result says what becomes of each record. there are the missing files that have
// only been moved. What is lost was missed at the time missedAt.
func (r *rematcher) result(there map[state.Key]bool, missedAt int64) Rematching {
	result := Rematching{Cursor: r.Relisted.Selected.Cursor}
	// The next observation looks at every message.
	result.Cursor.ModSeq = 0
	for i, rec := range r.Base {
		if rec.State == state.UploadStuck {
			continue // it has no UID
		}
		result.Drop = append(result.Drop, rec)
		if r.of[i] >= 0 {
			if found, ok := r.found(i, there); ok {
				result.Put = append(result.Put, found)
				result.Found++
			}
			continue
		}
		file := r.files[rec.Key]
		if rec.Key == "" || file.edited {
			// Nobody's any more, or a file that the server has never had: it counts
			// as new.
			continue
		}
		if rec.State != state.Lost {
			rec.State, rec.UID, rec.Since, rec.Retry = state.Lost, 0, missedAt, state.Retry{}
		}
		result.Put = append(result.Put, rec)
		if !file.missing { // else it has been moved, or is gone on both sides
			result.Lost++
		}
	}
	return result
}

// removals returns the messages that were found and whose files are gone.
func (r *rematcher) removals(result Rematching, there map[state.Key]bool) state.UIDSet {
	var uids []state.UID
	for _, rec := range result.Put {
		if rec.State == state.Paired && r.files[rec.Key].missing && !there[rec.Key] {
			uids = append(uids, rec.UID)
		}
	}
	return state.NewUIDSet(uids...)
}

// found binds record i to its message. It returns false when the record says
// nothing any more: the message then counts as new.
func (r *rematcher) found(i int, there map[state.Key]bool) (state.Record, bool) {
	rec, m := r.Base[i], r.Relisted.New[r.of[i]]
	file, known := r.files[rec.Key]
	switch {
	case rec.State == state.Expunging:
		if rec.Flags&state.Trashed != 0 && m.Flags&state.Trashed == 0 {
			return rec, false // somebody wants it
		}
		rec.UID, rec.Remote = m.UID, m.Identity
		return rec, true
	case file.missing && r.Doubt == state.DoubtBase && !there[rec.Key]:
		// That the file is missing may only mean that it is of another time.
		return rec, false
	case r.Doubt == state.DoubtBase && !file.missing:
		// Nothing is known to have been taken away, so that the flags of both
		// sides will add up.
		local := rec.Flags
		if known {
			local = file.now.Flags
		}
		rec.Flags = local & m.Flags
	}
	if r.asEdited[i] {
		rec.Content, rec.Stat = file.now.Content, file.now.Stat
	}
	rec.State, rec.UID, rec.Remote, rec.Since = state.Paired, m.UID, m.Identity, 0
	return rec, true
}

// String says how the matching ended.
func (r Rematching) String() string {
	text := fmt.Sprintf("%d messages found again", r.Found)
	if r.Lost > 0 {
		text += fmt.Sprintf(", %d not", r.Lost)
	}
	return text
}
