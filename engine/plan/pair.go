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

// form is a form of contents in which they are compared.
type form func(state.Content) state.Digest

func exact(c state.Content) state.Digest { return c.Digest }

// forms returns both: contents are compared as they are, and what is left is compared in
// the form in which it makes no difference that a server stored other bytes than it was
// sent.
func forms() []form { return []form{exact, state.Content.PlainDigest} }

// pairNew pairs new files with new messages of the same content, so that
// nothing that both sides already have is transferred again.
func (b *builder) pairNew(v *view) {
	alone, files := pairable(v.Mailbox)
	local := slices.Concat(v.newLocal, files)
	if len(local) == 0 || len(v.newRemote) == 0 {
		return
	}
	pairs := pairsOf(local, groups(v.newLocal, files, v.newRemote), v.newRemote)
	pairedKey, pairedUID := make(map[state.Key]bool), make(map[state.UID]bool)
	for i, l := range local {
		r, found := pairs[l.Key]
		if !found {
			continue
		}
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

// pairsOf returns which message each of the files is: where a group leaves no doubt the
// one in it, and else one of the same content.
func pairsOf(local []state.LocalMessage, byHeader map[state.Digest]*group, remote []state.RemoteMessage) map[state.Key]state.RemoteMessage {
	pairs := make(map[state.Key]state.RemoteMessage)
	taken := make(map[state.UID]bool)
	for _, g := range byHeader {
		if g.obvious() {
			pairs[g.local[0].Key] = g.remote[0]
			taken[g.remote[0].UID] = true
		}
	}
	for _, form := range forms() {
		free := make(map[state.Digest][]state.RemoteMessage)
		for _, r := range remote {
			if digest := form(r.Content); digest != (state.Digest{}) && !taken[r.UID] {
				free[digest] = append(free[digest], r)
			}
		}
		for _, l := range local {
			digest := form(l.Content)
			if _, paired := pairs[l.Key]; paired || len(free[digest]) == 0 {
				continue
			}
			r := free[digest][0]
			free[digest] = free[digest][1:]
			pairs[l.Key], taken[r.UID] = r, true
		}
	}
	return pairs
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
