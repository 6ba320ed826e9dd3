package plan

import (
	"slices"

	"mailmoor/state"
)

// What is over can have a sequel: an upload that was given up and repeated
// arrives after all, or a message that the server has said to be removed is
// still there.

// TriesMax is how often a message is removed that the server does not let go.
// After that the message counts as a new one.
const TriesMax = 3

// lateWindow is how many UIDs after the one announced a late upload can have.
const lateWindow = 1000

// stillThere takes messages that should be gone out of the new ones.
func (b *builder) stillThere(v *view) {
	if len(v.Buried) == 0 {
		return
	}
	v.newRemote = slices.DeleteFunc(v.newRemote, func(m state.RemoteMessage) bool {
		if t, ok := v.unburied(m); ok {
			b.add(v, Op{
				Kind: RemoveRemote, Remote: m, WantRemote: m.Flags, Final: b.final(v), Dest: b.in.Trash, Tries: t.Tries,
				Base: state.Record{Mailbox: v.Name, UID: m.UID, State: state.Expunging, Flags: m.Flags, Remote: m.Identity},
				Why:  "removed before, and still there",
			})
			return true
		}
		return false
	})
}

// disown takes uploads that arrived late out of the new messages. That they are one
// too many is known only where another copy is there, or has just been paired.
func (b *builder) disown(v *view) {
	taken := make(map[int64]bool)
	v.newRemote = slices.DeleteFunc(v.newRemote, func(m state.RemoteMessage) bool {
		for _, i := range v.Late {
			one := v.Repeated[i.Content.Digest] || v.paired[i.Content.Digest]
			if one && !taken[i.ID] && v.mayBeLate(i, m.UID) && m.Content.Same(i.Content) {
				taken[i.ID] = true
				b.add(v, Op{Kind: Disown, Remote: m, Intent: i.ID, Why: "a second copy of an upload of ours that arrived late"})
				return true
			}
		}
		return false
	})
}

// unburied returns the tombstone of a message that should be gone.
func (m *Mailbox) unburied(r state.RemoteMessage) (state.Tombstone, bool) {
	for _, t := range m.Buried {
		if t.UID == r.UID && t.UIDValidity == m.Remote.Selected.UIDValidity && t.Tries < TriesMax &&
			t.Remote.Header == r.Identity.Header && t.Remote.Date == r.Identity.Date && !t.Remote.OtherSize(r.Identity) {
			return t, true
		}
	}
	return state.Tombstone{}, false
}

// mayBeLate reports whether a new message can be what the intent announced.
func (m *Mailbox) mayBeLate(i state.Intent, uid state.UID) bool {
	return i.UIDValidity == m.Remote.Selected.UIDValidity && uid >= i.UIDNext && uint64(uid) <= uint64(i.UIDNext)+lateWindow
}

// sequelWants adds what must be known to recognise a sequel.
func sequelWants(m *Mailbox, w *Wants) {
	for _, r := range m.Remote.New {
		known := r.Identity != (state.RemoteIdentity{})
		ours := slices.ContainsFunc(m.Buried, func(t state.Tombstone) bool { return t.UID == r.UID })
		for _, i := range m.Late {
			if !m.mayBeLate(i, r.UID) {
				continue
			}
			ours = true
			if r.Identity.Header == i.Content.Header && r.Content.Digest == (state.Digest{}) && !w.Contents.Contains(r.UID) {
				w.Contents = w.Contents.Add(r.UID)
			}
		}
		if ours && !known && !w.Identities.Contains(r.UID) {
			w.Identities = w.Identities.Add(r.UID)
		}
	}
}
