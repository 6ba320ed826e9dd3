package plan

import (
	"slices"

	"mailmoor/state"
)

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
	// by holds, for each message in Relisted.New, the index of its record, or -1.
	by []int
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
		of: slices.Repeat([]int{-1}, len(m.Base)), by: slices.Repeat([]int{-1}, len(m.Relisted.New)),
		asEdited: make([]bool, len(m.Base)),
	}
	for _, c := range m.Local.Changed {
		r.files[c.Base.Key] = fileNow{edited: c.Edited, now: complete(c.Now, c.Base)}
	}
	for _, gone := range m.Local.Missing {
		r.files[gone.Key] = fileNow{missing: true}
	}
	return r
}

// claim is a content under which the server may show a record's message.
type claim struct {
	record  int
	content state.Content
	was     state.RemoteIdentity // zero where the server has not described it
	age     age
}

// age says which content of a file a claim is about.
type age uint8

const (
	asWas  age = iota // the file still has the content that the record knows
	edited            // the content that the file has been given since: only a body shows whether the server has it
	former            // the content that it had before
)

// claims returns what is looked for, of records without a message.
func (r *rematcher) claims(ages ...age) []claim {
	var claims []claim
	add := func(c claim) {
		if slices.Contains(ages, c.age) {
			claims = append(claims, c)
		}
	}
	for i, rec := range r.Base {
		had := rec.State == state.Paired || rec.State == state.Lost || rec.State == state.Expunging
		if r.of[i] >= 0 || !had {
			continue // the others have had no message whose content is known
		}
		if file := r.files[rec.Key]; rec.Key != "" && file.edited {
			add(claim{record: i, content: file.now.Content, age: edited})
			add(claim{record: i, content: rec.Content, was: rec.Remote, age: former})
			continue
		}
		add(claim{record: i, content: rec.Content, was: rec.Remote})
	}
	return claims
}

// match finds the message of each record: first by what the server says, where
// that leaves no choice, and then by content. What is found under the content
// that a file has now counts more than what is found under a former one, and last comes
// what the server has stored in other bytes than it was sent.
func (r *rematcher) match() {
	r.matchUnique()
	loose := r.loosen()
	r.matchContents(r.claims(asWas, edited), exact)
	for _, l := range loose {
		content := r.Relisted.New[l.message].Content
		if r.of[l.record] >= 0 || content.Digest != (state.Digest{}) && !content.Same(l.content) {
			r.by[l.message] = -1
		} else {
			r.take(l.claim, l.message)
		}
	}
	for _, form := range forms() {
		r.matchContents(r.claims(asWas, edited), form)
		r.matchContents(r.claims(former), form)
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
		return l, tells(l.header) && l.size != 0
	}
	return l, tells(l.header) && l.date != 0
}

// tells reports whether a header tells messages apart.
func tells(header state.Digest) bool {
	return header != (state.Digest{}) && header != state.HeaderDigest(nil)
}

// matchUnique matches claims and messages that are alike, where there is one of
// each.
func (r *rematcher) matchUnique() {
	type group struct {
		claims   []claim
		messages []int
	}
	for _, dated := range []bool{true, false} {
		groups := make(map[likeness]*group)
		for _, c := range r.claims(asWas, former) {
			l, ok := c.alike(dated)
			if !ok {
				continue
			}
			if groups[l] == nil {
				groups[l] = &group{}
			}
			groups[l].claims = append(groups[l].claims, c)
		}
		for i, m := range r.Relisted.New {
			l := likeness{m.Identity.Header, m.Identity.Size, m.Identity.Date}
			if !dated {
				l.date = 0
			}
			if g := groups[l]; g != nil && r.by[i] < 0 {
				g.messages = append(g.messages, i)
			}
		}
		for _, g := range groups {
			if len(g.claims) != 1 || len(g.messages) != 1 {
				continue
			}
			was, is := g.claims[0].was.Date, r.Relisted.New[g.messages[0]].Identity.Date
			if was == is || was == 0 || is == 0 { // otherwise only the body tells
				r.take(g.claims[0], g.messages[0])
			}
		}
	}
}

// looseMatch is a message found under the former content of an edited file.
type looseMatch struct {
	claim
	message int
}

// loosen returns what was found for edited files, and takes it back: their new
// content may be on the server as well. The messages stay reserved.
func (r *rematcher) loosen() []looseMatch {
	var loose []looseMatch
	for i, rec := range r.Base {
		if message := r.of[i]; message >= 0 && rec.Key != "" && r.files[rec.Key].edited {
			loose = append(loose, looseMatch{claim{record: i, content: rec.Content, was: rec.Remote, age: former}, message})
			r.of[i] = -1
		}
	}
	return loose
}

// matchContents matches what only the whole content can tell apart. Of equal
// records, those whose file is there come first; of equal messages, those with
// the record's flags: they tell a deleted one from one that is wanted.
func (r *rematcher) matchContents(claims []claim, form form) {
	byContent := make(map[state.Digest][]int)
	for i, m := range r.Relisted.New {
		if digest := form(m.Content); r.by[i] < 0 && digest != (state.Digest{}) {
			byContent[digest] = append(byContent[digest], i)
		}
	}
	for _, missing := range []bool{false, true} {
		for _, equal := range []state.Flags{state.AllFlags, state.Trashed, 0} {
			for _, c := range claims {
				rec := r.Base[c.record]
				gone := rec.Key == "" || r.files[rec.Key].missing
				if r.of[c.record] >= 0 || gone != missing {
					continue
				}
				digest := form(c.content)
				alike := byContent[digest]
				at := slices.IndexFunc(alike, func(i int) bool { return (r.Relisted.New[i].Flags^rec.Flags)&equal == 0 })
				if at >= 0 {
					r.take(c, alike[at])
					byContent[digest] = slices.Delete(alike, at, at+1)
				}
			}
		}
	}
}

func (r *rematcher) take(c claim, message int) {
	r.of[c.record], r.asEdited[c.record], r.by[message] = message, c.age == edited, c.record
}

// unread returns the messages whose bodies must be read because some record
// may be theirs, and what the server says does not tell. It does not depend on
// the bodies that have been read, so that nothing is asked for later.
func (r *rematcher) unread() state.UIDSet {
	r.matchUnique()
	w := newWanted(r.claims(asWas, former))
	loose := r.loosen()
	edits := newWanted(r.claims(edited))
	for _, l := range loose {
		r.by[l.message] = -1
	}
	var uids []state.UID
	for i, m := range r.Relisted.New {
		if r.by[i] < 0 && m.Content.Digest == (state.Digest{}) && (w.has(m.Identity) || edits.has(m.Identity)) {
			uids = append(uids, m.UID)
		}
	}
	return state.NewUIDSet(uids...)
}

// wanted is what the server may say of messages that are looked for: their headers, of
// which one that tells nothing may be that of any other which tells nothing; or, since
// it need not tell all of a header, their dates.
type wanted struct {
	headers map[state.Digest]bool
	dates   map[int64]bool
}

func newWanted(claims []claim) wanted {
	w := wanted{make(map[state.Digest]bool), make(map[int64]bool)}
	for _, c := range claims {
		w.headers[c.content.Header] = true
		w.dates[c.was.Date] = true
		if c.was.Header != (state.Digest{}) {
			w.headers[c.was.Header] = true
		}
	}
	return w
}

func (w wanted) has(id state.RemoteIdentity) bool {
	return w.headers[id.Header] || id.Date != 0 && w.dates[id.Date]
}
