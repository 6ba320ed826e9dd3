package remote

import (
	"slices"

	"mailmoor/state"
)

// listed is one message of a listing.
type listed struct {
	uid      state.UID
	flags    state.Flags
	keywords state.Keywords
}

// ordered sorts a listing by UID. Of a message that was listed more than once
// the last line stays, because it is the younger one.
func ordered(list []listed) []listed {
	slices.SortStableFunc(list, func(a, b listed) int { return compareUIDs(a.uid, b.uid) })
	kept := list[:0]
	for _, m := range list {
		if n := len(kept); n > 0 && kept[n-1].uid == m.uid {
			kept[n-1] = m
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

func compareUIDs(a, b state.UID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// diff compares an ordered listing, which need not be of the whole mailbox,
// with base. storable are the flags and keywords that the mailbox can keep:
// another one in base was only ever ours, and its absence on the server means nothing.
func diff(base []state.Record, list []listed, storable storable) (fresh []state.RemoteMessage, changed []state.RemoteChange) {
	i := 0
	for _, m := range list {
		for i < len(base) && base[i].UID < m.uid {
			i++
		}
		if i == len(base) || base[i].UID != m.uid {
			fresh = append(fresh, state.RemoteMessage{UID: m.uid, Flags: m.flags, Keywords: m.keywords})
			continue
		}
		was := base[i].SharedFlags()
		now := m.flags | was&^storable.flags
		keywords := storable.shown(m.keywords, base[i])
		if now != was || base[i].LocalFlags&storable.flags != 0 || !keywords.Equal(base[i].Keywords) {
			changed = append(changed, state.RemoteChange{Base: base[i], Flags: now, Keywords: keywords})
		}
	}
	return fresh, changed
}

// uidsOf returns the UIDs of an ordered listing.
func uidsOf(list []listed) state.UIDSet {
	var set state.UIDSet
	for _, m := range list {
		set = set.Add(m.uid)
	}
	return set
}

// countGone returns how many of the known messages are gone, given that everything
// new is among those listed and that the mailbox holds exists messages. It is negative
// when more messages are there than anybody knows of.
func countGone(known, listed state.UIDSet, exists uint32) int64 {
	return int64(known.Len()) + int64(listed.Without(known).Len()) - int64(exists)
}
