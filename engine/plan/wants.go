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
	alike := lookalikes(in.Mailboxes)
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
		for _, r := range m.Remote.New {
			if alike[r.Identity] && r.Content.Digest == (state.Digest{}) && !w.Contents.Contains(r.UID) {
				w.Contents = w.Contents.Add(r.UID)
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

// alike are the messages that the server describes in the same words.
type alike struct {
	contents  map[state.Digest]bool // of those that are gone
	gone, new int
}

// lookalikes returns those of which only the content tells which of them was moved, or
// got another UID, to where.
func lookalikes(mailboxes []Mailbox) map[state.RemoteIdentity]bool {
	all := make(map[state.RemoteIdentity]*alike)
	for _, m := range mailboxes {
		if m.Remote == nil {
			continue
		}
		for _, r := range m.Remote.Gone {
			if r.State != state.Paired || !tells(r.Remote.Header) {
				continue
			}
			if all[r.Remote] == nil {
				all[r.Remote] = &alike{contents: make(map[state.Digest]bool)}
			}
			all[r.Remote].contents[r.Content.Digest] = true
			all[r.Remote].gone++
		}
	}
	for _, m := range mailboxes {
		if m.Remote == nil || len(all) == 0 {
			continue
		}
		for _, r := range m.Remote.New {
			if a := all[r.Identity]; a != nil {
				a.new++
			}
		}
	}
	found := make(map[state.RemoteIdentity]bool)
	for id, a := range all {
		single := a.gone == 1 && a.new == 1
		equal := len(a.contents) == 1 && a.gone == a.new
		if a.new > 0 && !single && !equal {
			found[id] = true
		}
	}
	return found
}
