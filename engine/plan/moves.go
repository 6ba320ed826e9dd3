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

// matchRemoteMoves finds the messages that are gone from one mailbox and new in another,
// or new under another UID in the same one.
func matchRemoteMoves(views []*view, t traces) {
	// A message whose file was deleted meanwhile is not moved but new in its
	// mailbox: it is taken, and still has to be downloaded there.
	consumed := make(map[place]bool)
	for i, v := range views {
		for _, e := range v.entries {
			s, found := t.at[idOf(i, e.base)]
			if e.remote != conflict.RemoteAbsent || !found {
				continue
			}
			p := place{views[s.box], s.pos}
			consumed[p] = p.view == v || e.local != conflict.LocalAbsent
			e.movedRemotely(v, p)
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
