package plan

import (
	"slices"

	"mailmoor/state"
)

// A message that is gone from a mailbox may be new in another one, or in the same one
// under another UID. Clients that know no MOVE bring it there anew, with another date
// and sometimes with a field of their own in its header. So the header leads to it; what
// the server says of size and date may then prove that it is the same; and where that
// does not, the contents are compared.

// recordID names a record among those of all mailboxes: by its UID, or by the file of a
// lost message.
type recordID struct {
	box int // index of the mailbox
	uid state.UID
	key state.Key
}

func idOf(box int, r state.Record) recordID {
	if r.UID != 0 {
		return recordID{box: box, uid: r.UID}
	}
	return recordID{box: box, key: r.Key}
}

// absentee is a message that is gone from its mailbox, or that the server has lost there.
type absentee struct {
	box    int
	record state.Record
}

// spot is where a new message is.
type spot struct {
	box, pos int // pos is the index in the Remote.New of the mailbox
	message  *state.RemoteMessage
}

// family is the messages that are gone and those that are new and have the same header.
type family struct {
	gone []absentee
	new  []spot
	// tells is false for a header without any of the fields that tell messages apart.
	tells bool
}

// traces is what became of the messages that are gone.
type traces struct {
	mailboxes []Mailbox
	// at is where the server shows them now, as far as it does; taken are those places.
	at    map[recordID]spot
	taken map[*state.RemoteMessage]bool
	// unread are the new messages, by mailbox, of which the contents must be known first.
	unread map[int][]state.UID
}

// follow looks for the messages that are gone among those that are new.
func follow(mailboxes []Mailbox) traces {
	t := traces{
		mailboxes: mailboxes, at: make(map[recordID]spot), taken: make(map[*state.RemoteMessage]bool), unread: make(map[int][]state.UID),
	}
	for _, f := range families(mailboxes) {
		if f.tells {
			t.exactly(f)
			f = t.left(f)
			t.bySize(f)
			f = t.left(f)
		}
		t.byContent(f)
	}
	return t
}

// families groups the messages that are gone, and those that are new, by header. A
// family lacks neither.
func families(mailboxes []Mailbox) []*family {
	byHeader := make(map[state.Digest]*family)
	var all []*family
	for i, m := range mailboxes {
		for _, r := range absent(&m) {
			h := HeaderOf(r)
			f := byHeader[h]
			if f == nil {
				f = &family{tells: tells(h)}
				byHeader[h], all = f, append(all, f)
			}
			f.gone = append(f.gone, absentee{i, r})
		}
	}
	for i, m := range mailboxes {
		if m.Remote == nil || len(all) == 0 {
			continue
		}
		for pos := range m.Remote.New {
			r := &m.Remote.New[pos]
			if f := byHeader[r.Identity.Header]; f != nil && r.Identity.Header != (state.Digest{}) {
				f.new = append(f.new, spot{i, pos, r})
			}
		}
	}
	return slices.DeleteFunc(all, func(f *family) bool { return len(f.new) == 0 })
}

// absent returns the records of the mailbox whose messages are gone.
func absent(m *Mailbox) []state.Record {
	if m.Remote == nil {
		return nil
	}
	var gone []state.Record
	for _, r := range m.Remote.Gone {
		if r.State == state.Paired {
			gone = append(gone, r)
		}
	}
	for _, r := range m.Waiting {
		if r.State == state.Lost {
			gone = append(gone, r)
		}
	}
	return gone
}

// HeaderOf returns the header of the record's message as the server gives it, as far as
// that is known, and else that of the file.
func HeaderOf(r state.Record) state.Digest {
	if r.Remote.Header != (state.Digest{}) {
		return r.Remote.Header
	}
	return r.Content.Header
}

// subfamilies groups the members of a family by what the server says of them.
func subfamilies[K comparable](f *family, of func(state.RemoteIdentity) K) map[K]*family {
	groups := make(map[K]*family)
	for _, a := range f.gone {
		k := of(a.record.Remote)
		if groups[k] == nil {
			groups[k] = &family{}
		}
		groups[k].gone = append(groups[k].gone, a)
	}
	for _, s := range f.new {
		if g := groups[of(s.message.Identity)]; g != nil {
			g.new = append(g.new, s)
		}
	}
	return groups
}

// exactly matches what the server describes in the same words: one of each, or as many of
// both that all say the same.
func (t *traces) exactly(f *family) {
	for _, g := range subfamilies(f, func(id state.RemoteIdentity) state.RemoteIdentity { return id }) {
		one := g.gone[0].record.Content.Digest
		if len(g.gone) != len(g.new) || slices.ContainsFunc(g.gone, func(a absentee) bool { return a.record.Content.Digest != one }) {
			continue
		}
		for i, a := range g.gone {
			t.found(a, g.new[i])
		}
	}
}

// bySize matches what is alike in header and size, where that is one message on each
// side. Without a Message-ID two of them may say different things.
func (t *traces) bySize(f *family) {
	for size, g := range subfamilies(f, func(id state.RemoteIdentity) int64 { return id.Size }) {
		if size != 0 && len(g.gone) == 1 && len(g.new) == 1 && !g.new[0].message.Nameless {
			t.found(g.gone[0], g.new[0])
		}
	}
}

// byContent matches the rest by what the messages say. Of equal ones that which got
// another UID where it was comes first, and last one that somebody deleted.
func (t *traces) byContent(f *family) {
	if len(f.gone) == 0 {
		return
	}
	for _, s := range f.new {
		if s.message.Content.Digest == (state.Digest{}) {
			t.unread[s.box] = append(t.unread[s.box], s.message.UID)
		}
	}
	for _, form := range forms() {
		t.byForm(f, form)
	}
}

// byForm is byContent for one form of the contents.
func (t *traces) byForm(f *family, form form) {
	equal := make(map[state.Digest][]spot)
	for _, s := range f.new {
		if digest := form(s.message.Content); digest != (state.Digest{}) && !t.taken[s.message] {
			equal[digest] = append(equal[digest], s)
		}
	}
	for _, near := range []func(absentee, spot) bool{
		func(a absentee, s spot) bool { return a.box == s.box },
		func(_ absentee, s spot) bool { return t.mailboxes[s.box].Role != state.RoleTrash },
		func(absentee, spot) bool { return true },
	} {
		for _, a := range f.gone {
			if _, found := t.at[idOf(a.box, a.record)]; found {
				continue
			}
			digest := form(a.record.Content)
			spots := equal[digest]
			if i := slices.IndexFunc(spots, func(s spot) bool { return near(a, s) }); i >= 0 {
				t.found(a, spots[i])
				equal[digest] = slices.Delete(spots, i, i+1)
			}
		}
	}
}

func (t *traces) found(a absentee, s spot) {
	t.at[idOf(a.box, a.record)], t.taken[s.message] = s, true
}

// left returns what has not been found of a family.
func (t *traces) left(f *family) *family {
	left := &family{tells: f.tells}
	for _, a := range f.gone {
		if _, found := t.at[idOf(a.box, a.record)]; !found {
			left.gone = append(left.gone, a)
		}
	}
	for _, s := range f.new {
		if !t.taken[s.message] {
			left.new = append(left.new, s)
		}
	}
	return left
}
