package plan

import (
	"fmt"

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
	elsewhere := newContents(b.in.Mailboxes)
	for _, v := range b.views {
		if doubt, ready := v.inDoubt(); !ready {
			if doubt {
				b.open(v.Name)
			}
			continue
		}
		r := newRematcher(v.Mailbox)
		r.match()
		result := r.result(elsewhere, b.in.Now)
		why := "the server has renumbered, replaced or restored the mailbox"
		if v.Doubt == state.DoubtBase {
			why = "state and tree are not of the same time"
		}
		v.rematched = true
		b.add(v, Op{Kind: Rematch, Rematching: &result, Why: why})
	}
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

// newContents returns the contents of all files without a record.
func newContents(mailboxes []Mailbox) map[state.Digest]bool {
	contents := make(map[state.Digest]bool)
	for _, m := range mailboxes {
		if m.Local == nil {
			continue
		}
		for _, l := range m.Local.New {
			contents[l.Content.Digest] = true
		}
	}
	return contents
}

// result says what becomes of each record. elsewhere are the contents of all
// new files of the account.
func (r *rematcher) result(elsewhere map[state.Digest]bool, now int64) Rematching {
	result := Rematching{Cursor: r.Relisted.Selected.Cursor}
	// The next observation looks at every message.
	result.Cursor.ModSeq = 0
	for i, rec := range r.Base {
		if rec.State == state.UploadStuck {
			continue // it has no UID
		}
		result.Drop = append(result.Drop, rec)
		if r.of[i] >= 0 {
			if found, ok := r.found(i, elsewhere); ok {
				result.Put = append(result.Put, found)
				result.Found++
			}
			continue
		}
		file := r.files[rec.Key]
		if rec.Key == "" || file.missing || file.edited {
			// Gone on both sides, or a file that the server has never had: it
			// counts as new.
			continue
		}
		if rec.State != state.Lost {
			rec.State, rec.UID, rec.Since, rec.Retry = state.Lost, 0, now, state.Retry{}
		}
		result.Put = append(result.Put, rec)
		result.Lost++
	}
	return result
}

// found binds record i to its message. It returns false when the record says
// nothing any more: the message then counts as new.
func (r *rematcher) found(i int, elsewhere map[state.Digest]bool) (state.Record, bool) {
	rec, m := r.Base[i], r.Relisted.New[r.of[i]]
	file, known := r.files[rec.Key]
	switch {
	case rec.State == state.Expunging:
		if rec.Flags&state.Trashed != 0 && m.Flags&state.Trashed == 0 {
			return rec, false // somebody wants it
		}
		rec.UID, rec.Remote = m.UID, m.Identity
		return rec, true
	case file.missing && r.Doubt == state.DoubtBase && !elsewhere[rec.Content.Digest]:
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
