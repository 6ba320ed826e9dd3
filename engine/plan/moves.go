package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// place is a new file or message that may be the other end of a move.
type place struct {
	view *view
	pos  int // index in newLocal or newRemote
}

// matchLocalMoves finds the files that are absent in one folder and new in
// another, or new under another key in the same one. Content decides; the key,
// then the inode, choose between equals.
func matchLocalMoves(views []*view) {
	news := make(map[state.Digest][]place)
	for _, v := range views {
		for i, m := range v.newLocal {
			news[m.Content.Digest] = append(news[m.Content.Digest], place{v, i})
		}
	}
	taken := make(map[place]bool)
	for _, rank := range []func(*view, *entry, place) bool{sameKey, sameInode, anyPlace} {
		for _, v := range views {
			for _, e := range v.entries {
				if e.local != conflict.LocalAbsent {
					continue
				}
				for _, p := range news[e.base.Content.Digest] {
					if !taken[p] && rank(v, e, p) {
						taken[p] = true
						e.movedLocally(v, p)
						break
					}
				}
			}
		}
	}
	for _, v := range views {
		v.newLocal = without(v.newLocal, func(i int) bool { return taken[place{v, i}] })
	}
}

func sameKey(_ *view, e *entry, p place) bool {
	return p.view.newLocal[p.pos].Key == e.base.Key
}

func sameInode(_ *view, e *entry, p place) bool {
	m := p.view.newLocal[p.pos]
	return m.Stat.Inode == e.base.Stat.Inode && m.Stat.Size == e.base.Stat.Size
}

func anyPlace(*view, *entry, place) bool { return true }

// movedLocally notes where the file of e lies now.
func (e *entry) movedLocally(v *view, p place) {
	e.now = p.view.newLocal[p.pos]
	if !v.known() || !p.view.known() {
		e.local, v.waiting, p.view.withheld[e.now.Content.Header] = conflict.LocalUnknown, true, true
		return
	}
	if p.view != v {
		e.local, e.at = conflict.LocalMoved, p.view.Mailbox
		return
	}
	// The reader gave it another name in the same folder.
	e.local = conflict.LocalSame
	if e.now.Flags != e.base.Flags || !e.now.Keywords.Equal(e.base.AllKeywords()) {
		e.local = conflict.LocalFlags
	}
}

// matchRemoteMoves finds the messages that are gone from one mailbox and new
// in another, or new under another UID in the same one. The server's own words
// about them must agree: size, date, header.
func matchRemoteMoves(views []*view) {
	news := make(map[state.RemoteIdentity][]place)
	for _, v := range views {
		for i, m := range v.newRemote {
			id := m.Identity
			if id == (state.RemoteIdentity{}) || id.Header == state.HeaderDigest(nil) {
				continue // without a header two messages cannot be told apart
			}
			news[id] = append(news[id], place{v, i})
		}
	}
	// A message whose file was deleted meanwhile is not moved but new in its
	// mailbox: it is taken, and still has to be downloaded there.
	taken, consumed := make(map[place]bool), make(map[place]bool)
	for _, v := range views {
		for _, e := range v.entries {
			if e.remote != conflict.RemoteAbsent {
				continue
			}
			for _, p := range news[e.base.Remote] {
				if !taken[p] {
					taken[p], consumed[p] = true, p.view == v || e.local != conflict.LocalAbsent
					e.movedRemotely(v, p)
					break
				}
			}
		}
	}
	for _, v := range views {
		v.newRemote = without(v.newRemote, func(i int) bool { return consumed[place{v, i}] })
	}
}

// movedRemotely notes where the message of e lies now.
func (e *entry) movedRemotely(v *view, p place) {
	e.msg = p.view.newRemote[p.pos]
	if !v.known() || !p.view.known() {
		e.remote, v.waiting, p.view.withheld[e.msg.Identity.Header] = conflict.RemoteUnknown, true, true
		return
	}
	if p.view == v {
		e.renumbered = true
		return
	}
	e.remote, e.to = conflict.RemoteMoved, p.view.Mailbox
}

// without returns the items whose index is not dropped.
func without[T any](items []T, drop func(int) bool) []T {
	var kept []T
	for i, item := range items {
		if !drop(i) {
			kept = append(kept, item)
		}
	}
	return kept
}

// group is the new files and messages of one mailbox that look alike.
type group struct {
	local  []state.LocalMessage
	remote []state.RemoteMessage
	// alone is true when a file is among them whose message was lost or refused.
	// A new message counts as its own only for its whole content.
	alone bool
}

// groups puts the new files and messages of a mailbox together by header.
func groups(local, alone []state.LocalMessage, remote []state.RemoteMessage) map[state.Digest]*group {
	m := make(map[state.Digest]*group)
	at := func(d state.Digest) *group {
		if m[d] == nil {
			m[d] = &group{}
		}
		return m[d]
	}
	for _, l := range local {
		g := at(l.Content.Header)
		g.local = append(g.local, l)
	}
	for _, l := range alone {
		g := at(l.Content.Header)
		g.local, g.alone = append(g.local, l), true
	}
	for _, r := range remote {
		if r.Identity != (state.RemoteIdentity{}) {
			g := at(r.Identity.Header)
			g.remote = append(g.remote, r)
		}
	}
	return m
}

// obvious reports whether the group is one file and one message of the same
// size with a header that tells messages apart, so that no body need be read.
func (g *group) obvious() bool {
	return !g.alone && len(g.local) == 1 && len(g.remote) == 1 &&
		g.local[0].Content.WireSize == g.remote[0].Identity.Size &&
		g.local[0].Content.Header != state.HeaderDigest(nil)
}

// Restrict returns the plan with only those operations that concern a mailbox
// the user asked for. The whole account is planned all the same: otherwise a
// message moved to another mailbox would look deleted.
func Restrict(p Plan, asked func(mailbox string) bool) Plan {
	var ops []Op
	for _, op := range p.Ops {
		if asked(op.Mailbox) || op.Dest != "" && asked(op.Dest) && !op.Kind.Destroys() {
			ops = append(ops, op)
			continue
		}
		for _, name := range op.touches() {
			if name != "" && !slices.Contains(p.Open, name) {
				p.Open = append(p.Open, name)
			}
		}
	}
	p.Ops = ops
	return p
}

// pairNew pairs new files with new messages of the same content, so that
// nothing that both sides already have is transferred again.
func (b *builder) pairNew(v *view) {
	alone, files := pairable(v.Mailbox)
	local := slices.Concat(v.newLocal, files)
	if len(local) == 0 || len(v.newRemote) == 0 {
		return
	}
	byHeader := groups(v.newLocal, files, v.newRemote)
	pairedKey, pairedUID := make(map[state.Key]bool), make(map[state.UID]bool)
	for i, l := range local {
		g := byHeader[l.Content.Header]
		at := slices.IndexFunc(g.remote, func(r state.RemoteMessage) bool {
			return !pairedUID[r.UID] && (g.obvious() || r.Content.Digest == l.Content.Digest)
		})
		if at < 0 {
			continue
		}
		r := g.remote[at]
		pairedKey[l.Key], pairedUID[r.UID] = true, true
		v.paired[l.Content.Digest] = true
		op := Op{Kind: Pair, Local: l, Remote: r, Why: "both sides hold it"}
		if i >= len(v.newLocal) {
			op.Base, op.Why = alone[i-len(v.newLocal)].record, "the server shows it after all"
			v.answered[l.Key] = true
		}
		b.add(v, op.agreeing(v.Mailbox, op.Base.AllKeywords()))
	}
	v.entries = slices.DeleteFunc(v.entries, func(e *entry) bool {
		return e.base.State == state.Lost && v.answered[e.base.Key]
	})
	v.newLocal = without(v.newLocal, func(i int) bool { return pairedKey[v.newLocal[i].Key] })
	v.newRemote = without(v.newRemote, func(i int) bool { return pairedUID[v.newRemote[i].UID] })
}

// agreeing returns the pairing of a file and a message of the mailbox with the flags
// and keywords that both sides shall have; own are keywords that the message has
// besides those of its letters.
func (o Op) agreeing(m *Mailbox, own state.Keywords) Op {
	d := conflict.Decide(conflict.Message{
		Local: conflict.LocalNew, Remote: conflict.RemoteNew, Equal: true,
		LocalFlags: o.Local.Flags, RemoteFlags: o.Remote.Flags, Shared: m.Shared(),
		Keywords: conflict.Keywords{Own: own, Local: o.Local.Keywords, Remote: o.Remote.Keywords, Stored: m.Stores()},
	})
	o.WantLocal, o.WantRemote, o.Agreed, o.Tags = d.Local, d.Remote, d.Local, d.Tags
	o.OnlyLocal = m.onlyLocal(d)
	return o
}

// Wants is what must still be found out before the input can be planned for.
type Wants struct {
	Mailbox string
	// Identities are new messages of which size, date and header are needed.
	Identities state.UIDSet
	// Contents are new messages whose body must be read to tell equals apart.
	Contents state.UIDSet
}

// identitiesMax bounds how many new messages of a mailbox are looked at only
// to find out whether one of them was moved there. Beyond it they are
// downloaded again: slower, and just as safe.
const identitiesMax = 20_000

// Unidentified stands for the identity of a message that the server cannot
// describe.
var Unidentified = state.RemoteIdentity{Size: -1}

// Missing returns what Build would have to guess. The caller finds it out and
// asks again, until nothing is missing.
func Missing(in Input) []Wants {
	moved := false // messages may have been
	for _, m := range in.Mailboxes {
		moved = moved || hasAlone(&m) || len(m.Unlisted) > 0 || m.Remote != nil && len(m.Remote.Gone) > 0 || m.Local != nil && len(m.Local.Missing) > 0
	}
	var wants []Wants
	for _, m := range in.Mailboxes {
		if _, ready := m.inDoubt(); ready {
			if w := rematchWants(&m); len(w.Identities)+len(w.Contents) > 0 {
				wants = append(wants, w)
			}
			continue
		}
		if m.Remote == nil || len(m.Remote.New) == 0 {
			continue
		}
		w := Wants{Mailbox: m.Name}
		pairing := m.known() && (len(m.Local.Unread) > 0 || len(m.Local.New) > 0 || hasAlone(&m))
		if pairing || m.known() && in.Reach.limited() || moved && len(m.Remote.New) <= identitiesMax {
			for _, r := range m.Remote.New {
				if r.Identity == (state.RemoteIdentity{}) {
					w.Identities = w.Identities.Add(r.UID)
				}
			}
		}
		if m.known() {
			sequelWants(&m, &w)
		}
		if len(w.Identities) == 0 && pairing {
			_, files := pairable(&m)
			for _, uid := range ambiguous(groups(m.Local.New, files, m.Remote.New)) {
				w.Contents = w.Contents.Add(uid)
			}
		}
		if len(w.Identities)+len(w.Contents) > 0 {
			wants = append(wants, w)
		}
	}
	return wants
}

// ambiguous returns the messages that only their whole content can tell apart,
// in order.
func ambiguous(byHeader map[state.Digest]*group) []state.UID {
	var uids []state.UID
	for _, g := range byHeader {
		if g.obvious() || len(g.local) == 0 {
			continue
		}
		for _, r := range g.remote {
			if r.Content.Digest == (state.Digest{}) {
				uids = append(uids, r.UID)
			}
		}
	}
	slices.Sort(uids)
	return uids
}
