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
		r := newRematcher(m)
		r.match()
		w.Contents = r.unread()
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

// rematcher matches the records of one mailbox with what the server shows.
type rematcher struct {
	*Mailbox
	files map[state.Key]fileNow
	// of holds, for each record, the index of its message in Relisted.New; -1
	// while none has been found.
	of []int
	// asEdited is true for a record whose message was found under the content
	// that its file has been given since.
	asEdited []bool
	taken    []bool // aligned with Relisted.New
}

// fileNow is what the scan says of a record's file, other than that it is as
// it was.
type fileNow struct {
	missing bool
	edited  bool
	now     state.LocalMessage
}

func newRematcher(m *Mailbox) *rematcher {
	r := &rematcher{
		Mailbox: m, files: make(map[state.Key]fileNow),
		of: make([]int, len(m.Base)), asEdited: make([]bool, len(m.Base)), taken: make([]bool, len(m.Relisted.New)),
	}
	for _, c := range m.Local.Changed {
		r.files[c.Base.Key] = fileNow{edited: c.Edited, now: complete(c.Now, c.Base)}
	}
	for _, gone := range m.Local.Missing {
		r.files[gone.Key] = fileNow{missing: true}
	}
	for i := range r.of {
		r.of[i] = -1
	}
	return r
}

// claim is a content under which the server may show a record's message.
type claim struct {
	record  int
	content state.Content
	was     state.RemoteIdentity // zero where the server has not described it
	// edited is true for a content that the state does not know. Only a body
	// shows whether the server has it.
	edited bool
}

// claims returns what is looked for: the content of each file as it is now, or
// with former that which an edited file had before.
func (r *rematcher) claims(former bool) []claim {
	var claims []claim
	for i, rec := range r.Base {
		file := r.files[rec.Key]
		switch edited := rec.Key != "" && file.edited; {
		case r.of[i] >= 0, rec.State == state.UploadStuck, rec.State == state.DownloadStuck, rec.State == state.Excluded:
		case edited && !former:
			claims = append(claims, claim{record: i, content: file.now.Content, edited: true})
		case edited == former:
			claims = append(claims, claim{record: i, content: rec.Content, was: rec.Remote})
		}
	}
	return claims
}

// match finds the message of each record. What is found under the content that
// the file has now counts more than what is found under a former one.
func (r *rematcher) match() {
	for _, former := range []bool{false, true} {
		for _, dated := range []bool{true, false} {
			r.matchUnique(r.claims(former), dated)
		}
		r.matchContents(r.claims(former))
	}
}

// likeness is what a record and a message have in common without their bodies.
type likeness struct {
	header state.Digest
	size   int64
	date   int64 // 0 where it is left out
}

// alike returns under which likeness a claim is looked for. The date may be left
// out: a restore may change it.
func (c claim) alike(dated bool) (likeness, bool) {
	l := likeness{c.was.Header, c.was.Size, c.was.Date}
	if !dated {
		l.date = 0
		if l.header == (state.Digest{}) {
			l.header, l.size = c.content.Header, c.content.WireSize
		}
	}
	return l, !c.edited && tells(l.header) && (l.date != 0) == dated
}

// tells reports whether a header tells messages apart.
func tells(header state.Digest) bool {
	return header != (state.Digest{}) && header != state.HeaderDigest(nil)
}

// matchUnique matches claims and messages that are alike, where there is one of
// each.
func (r *rematcher) matchUnique(claims []claim, dated bool) {
	type group struct{ claims, messages []int }
	groups := make(map[likeness]*group)
	for i, c := range claims {
		l, ok := c.alike(dated)
		if !ok {
			continue
		}
		if groups[l] == nil {
			groups[l] = &group{}
		}
		groups[l].claims = append(groups[l].claims, i)
	}
	for i, m := range r.Relisted.New {
		l := likeness{m.Identity.Header, m.Identity.Size, m.Identity.Date}
		if !dated {
			l.date = 0
		}
		if g := groups[l]; g != nil && !r.taken[i] {
			g.messages = append(g.messages, i)
		}
	}
	for _, g := range groups {
		if len(g.claims) == 1 && len(g.messages) == 1 {
			r.take(claims[g.claims[0]], g.messages[0])
		}
	}
}

// matchContents matches what only the whole content can tell apart.
func (r *rematcher) matchContents(claims []claim) {
	byContent := make(map[state.Digest][]int)
	for i, m := range r.Relisted.New {
		if !r.taken[i] && m.Content.Digest != (state.Digest{}) {
			byContent[m.Content.Digest] = append(byContent[m.Content.Digest], i)
		}
	}
	for _, c := range claims {
		if alike := byContent[c.content.Digest]; len(alike) > 0 {
			r.take(c, alike[0])
			byContent[c.content.Digest] = alike[1:]
		}
	}
}

func (r *rematcher) take(c claim, message int) {
	r.of[c.record], r.asEdited[c.record], r.taken[message] = message, c.edited, true
}

// unread returns the messages whose bodies must be read because some record
// that has not been found may be theirs.
func (r *rematcher) unread() state.UIDSet {
	headers, sizes := make(map[state.Digest]bool), make(map[int64]bool)
	for _, c := range slices.Concat(r.claims(false), r.claims(true)) {
		if tells(c.content.Header) {
			headers[c.content.Header] = true
			headers[c.was.Header] = true
			continue
		}
		sizes[c.content.WireSize], sizes[c.was.Size] = true, true
	}
	var uids []state.UID
	for i, m := range r.Relisted.New {
		if r.taken[i] || m.Content.Digest != (state.Digest{}) {
			continue
		}
		if tells(m.Identity.Header) && headers[m.Identity.Header] || !tells(m.Identity.Header) && sizes[m.Identity.Size] {
			uids = append(uids, m.UID)
		}
	}
	return state.NewUIDSet(uids...)
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
