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
	matchers := make(map[*view]*rematcher)
	for _, v := range b.views {
		doubt, ready := v.inDoubt()
		switch {
		case !doubt:
		case !ready:
			b.open(v.Name) // why was said where it was looked at
		case v.Doubt == state.DoubtBase && len(v.Local.Missing) > 0 && b.hidden():
			b.open(v.Name)
			b.plan.Problems = append(b.plan.Problems, state.Problem{
				Scope: state.ScopeMailbox, Mailbox: v.Name,
				Text: state.Textf("folder %q is not synced: state and tree are not of the same time, and files of it may lie where nobody can look", v.Folder),
				Hint: "nothing is removed; mend the other problems of this run first",
			})
		default:
			matchers[v] = newRematcher(v.Mailbox)
			matchers[v].match()
		}
	}
	files := b.newFiles(matchers)
	for _, v := range b.views {
		if r := matchers[v]; r != nil {
			b.rematchView(v, r, files)
		}
	}
}

func (b *builder) rematchView(v *view, r *rematcher, files map[state.Key]newFile) {
	moved := v.moved(files)
	result := r.result(moved, b.missedAt(v.Name))
	b.carryHolds(v, r.removals(result, moved))
	why := state.Text("the server has renumbered, replaced or restored the mailbox")
	if v.Doubt == state.DoubtBase {
		why = "state and tree are not of the same time"
	}
	v.rematched = true
	b.add(v, Op{Kind: Rematch, Rematching: &result, Why: why})
}

// hidden reports whether there are places that could not be looked at: a file that
// is missing elsewhere may be there, or the message of one that was found.
func (b *builder) hidden() bool {
	return hasSuspects(b.in.Strays) || slices.ContainsFunc(b.in.Mailboxes, func(m Mailbox) bool {
		return m.LocalFailed || m.RemoteFailed && m.Relisted == nil || m.Local != nil && hasSuspects(m.Local.Strays)
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

// newFile is a file without a record.
type newFile struct {
	at      *view
	content state.Digest
	// own is true when its mailbox has a message of the same header for which there
	// is no other file.
	own bool
}

// newFiles returns all files without a record.
func (b *builder) newFiles(matchers map[*view]*rematcher) map[state.Key]newFile {
	files := make(map[state.Key]newFile)
	for _, v := range b.views {
		if v.Local == nil {
			continue
		}
		spare := make(map[state.Digest]bool)
		if r := matchers[v]; r != nil {
			for i, m := range r.Relisted.New {
				spare[m.Identity.Header] = spare[m.Identity.Header] || r.by[i] < 0 || r.files[r.Base[r.by[i]].Key].missing
			}
		}
		for _, m := range v.newRemote {
			spare[m.Identity.Header] = true
		}
		for _, l := range v.Local.New {
			files[l.Key] = newFile{v, l.Content.Digest, spare[l.Content.Header]}
		}
	}
	return files
}

// moved returns the keys of missing files that were found under another name or in
// another folder. When the base is of another time, the other folder counts only
// where nothing else explains the file: the record may be of a copy.
func (v *view) moved(files map[state.Key]newFile) map[state.Key]bool {
	here := make(map[state.Digest]bool)
	for _, l := range v.newLocal {
		here[l.Content.Digest] = true
	}
	moved := make(map[state.Key]bool)
	for _, e := range v.entries {
		file := files[e.now.Key]
		copied := file.at != v && (file.own && file.content == e.base.Content.Digest || here[e.base.Content.Digest])
		moved[e.base.Key] = e.now.Key != "" && (v.Doubt != state.DoubtBase || !copied)
	}
	return moved
}

// result says what becomes of each record. moved are the missing files that have
// only been moved. What is lost was missed at the time missedAt.
func (r *rematcher) result(moved map[state.Key]bool, missedAt int64) Rematching {
	result := Rematching{Cursor: r.Relisted.Selected.Cursor}
	// The next observation looks at every message.
	result.Cursor.ModSeq = 0
	for i, rec := range r.Base {
		if rec.State == state.UploadStuck {
			continue // it has no UID
		}
		result.Drop = append(result.Drop, rec)
		if r.of[i] >= 0 {
			if found, ok := r.found(i, moved); ok {
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
func (r *rematcher) removals(result Rematching, moved map[state.Key]bool) state.UIDSet {
	var uids []state.UID
	for _, rec := range result.Put {
		if rec.State == state.Paired && r.files[rec.Key].missing && !moved[rec.Key] {
			uids = append(uids, rec.UID)
		}
	}
	return state.NewUIDSet(uids...)
}

// found binds record i to its message. It returns false when the record says
// nothing any more: the message then counts as new.
func (r *rematcher) found(i int, moved map[state.Key]bool) (state.Record, bool) {
	rec, m := r.Base[i], r.Relisted.New[r.of[i]]
	file, known := r.files[rec.Key]
	switch {
	case rec.State == state.Expunging:
		if rec.Flags&state.Trashed != 0 && m.Flags&state.Trashed == 0 {
			return rec, false // somebody wants it
		}
		rec.UID, rec.Remote = m.UID, m.Identity
		return rec, true
	case file.missing && r.Doubt == state.DoubtBase && m.Flags&^rec.Flags&state.Trashed != 0:
		// Without a file and marked deleted since: it waits for an expunge, as
		// what we remove does on a server without UIDPLUS.
		rec.State, rec.Key, rec.UID, rec.Remote, rec.Since = state.Expunging, "", m.UID, m.Identity, 0
		rec.Flags |= state.Trashed
		return rec, true
	case file.missing && r.Doubt == state.DoubtBase && !moved[rec.Key]:
		// That the file is missing may only mean that it is of another time.
		return rec, false
	case r.Doubt == state.DoubtBase && !file.missing:
		// Nothing is known to have been taken away, so that the flags and keywords of
		// both sides will add up.
		local := rec.Flags
		if known {
			local = file.now.Flags
		}
		rec.Flags, rec.LocalFlags = local&m.Flags, 0
		rec.Keywords, rec.LocalKeywords = "", rec.AllKeywords()
	}
	if r.asEdited[i] {
		rec.Content, rec.Stat = file.now.Content, file.now.Stat
	}
	rec.State, rec.UID, rec.Remote, rec.Since = state.Paired, m.UID, m.Identity, 0
	return rec, true
}

// String says how the matching ended.
func (r Rematching) String() string {
	text := string(state.Count(r.Found, "message")) + " found again"
	if r.Lost > 0 {
		text += fmt.Sprintf(", %d not", r.Lost)
	}
	return text
}
