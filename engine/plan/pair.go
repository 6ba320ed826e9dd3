package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

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
	return !g.alone && len(g.local) == 1 && len(g.remote) == 1 && !g.remote[0].Nameless &&
		g.local[0].Content.WireSize == g.remote[0].Identity.Size
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
