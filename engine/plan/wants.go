package plan

import (
	"slices"

	"mailmoor/state"
)

// Wants is what must still be found out before the input can be planned for.
type Wants struct {
	Mailbox string
	// Identities are new messages of which size, date and header are needed.
	Identities state.UIDSet
	// Contents are new messages whose body must be read to tell equals apart.
	Contents state.UIDSet
}

// identitiesMax and identitiesEach bound how many new messages of a mailbox are looked at
// only to find out whether one of them was moved there: so many, or so many for each
// message that is missing somewhere. Beyond that they are downloaded first, and what is
// gone from the server waits until then.
const (
	identitiesMax  = 20_000
	identitiesEach = 4
)

// lookedFor returns how many messages may be among the new ones.
func lookedFor(mailboxes []Mailbox) int {
	n := 0
	for _, m := range mailboxes {
		n += len(m.Unlisted)
		for _, r := range m.Waiting {
			if alone(r) {
				n++
			}
		}
		if m.Remote != nil {
			n += len(m.Remote.Gone)
		}
		if m.Local != nil {
			n += len(m.Local.Missing)
		}
	}
	return n
}

// passesBy reports whether new messages of the mailbox are not looked at although some are
// looked for.
func (m *Mailbox) passesBy(lookedFor int) bool {
	return m.Remote != nil && len(m.Remote.New) > max(identitiesMax, identitiesEach*lookedFor) &&
		slices.ContainsFunc(m.Remote.New, func(r state.RemoteMessage) bool { return r.Identity == (state.RemoteIdentity{}) })
}

// Unidentified stands for the identity of a message that the server cannot
// describe.
var Unidentified = state.RemoteIdentity{Size: -1}

// Missing returns what Build would have to guess. The caller finds it out and
// asks again, until nothing is missing.
func Missing(in Input) []Wants {
	moved := lookedFor(in.Mailboxes)
	unread, copies := follow(in.Mailboxes).unread, unreadCopies(in.Mailboxes)
	var wants []Wants
	for i, m := range in.Mailboxes {
		if _, ready := m.inDoubt(); ready {
			if w := rematchWants(&m).without(m.Relisted.New); len(w.Identities)+len(w.Contents) > 0 {
				wants = append(wants, w)
			}
			continue
		}
		if m.Remote == nil || len(m.Remote.New) == 0 {
			continue
		}
		w := Wants{Mailbox: m.Name}
		pairing := m.known() && (hasSuspects(m.Local.Strays) || len(m.Local.New) > 0 || hasAlone(&m))
		if pairing || m.known() && in.Reach.limited() || moved > 0 && !m.passesBy(moved) {
			for _, r := range m.Remote.New {
				if r.Identity == (state.RemoteIdentity{}) {
					w.Identities = w.Identities.Add(r.UID)
				}
			}
		}
		if m.known() {
			sequelWants(&m, &w)
		}
		for _, uid := range slices.Concat(unread[i], copies[i]) {
			if !w.Contents.Contains(uid) {
				w.Contents = w.Contents.Add(uid)
			}
		}
		if len(w.Identities) == 0 && pairing {
			_, files := pairable(&m)
			for _, uid := range ambiguous(groups(m.Local.New, files, m.Remote.New)) {
				if !w.Contents.Contains(uid) {
					w.Contents = w.Contents.Add(uid)
				}
			}
		}
		if w = w.without(m.Remote.New); len(w.Identities)+len(w.Contents) > 0 {
			wants = append(wants, w)
		}
	}
	return wants
}

// without returns what is left to find out when bodies that cannot be had are not asked
// for again.
func (w Wants) without(messages []state.RemoteMessage) Wants {
	var contents state.UIDSet
	for uid := range w.Contents.All() {
		if !slices.ContainsFunc(messages, func(m state.RemoteMessage) bool { return m.UID == uid && m.Unread }) {
			contents = contents.Add(uid)
		}
	}
	w.Contents = contents
	return w
}

// ambiguous returns the messages that only their whole content can tell apart, in order:
// those of the same header as a file, where that leaves a choice; and, since what a server
// tells of a header need not be all of it, those of the same date.
func ambiguous(byHeader map[state.Digest]*group) []state.UID {
	dates := make(map[int64]bool)
	for _, g := range byHeader {
		for _, l := range g.local {
			dates[l.Date] = dates[l.Date] || l.Date != 0 && !g.obvious()
		}
	}
	var uids []state.UID
	for _, g := range byHeader {
		for _, r := range g.remote {
			if r.Content.Digest == (state.Digest{}) && !g.obvious() && (len(g.local) > 0 || dates[r.Identity.Date]) {
				uids = append(uids, r.UID)
			}
		}
	}
	slices.Sort(uids)
	return uids
}
