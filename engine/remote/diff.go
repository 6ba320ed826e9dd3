package remote

import (
	"fmt"
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

// checkBase reports a base that cannot be compared with a listing.
func checkBase(base []state.Record) error {
	for i, r := range base {
		if r.UID == 0 || i > 0 && r.UID <= base[i-1].UID {
			return fmt.Errorf("record %d of the base has UID %d: the base must be ordered by UID", i, r.UID)
		}
	}
	return nil
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

// absent returns the records of base whose UID is not in the set of all UIDs.
func absent(base []state.Record, all state.UIDSet) []state.Record {
	var gone []state.Record
	i := 0
	for _, r := range base {
		for i < len(all) && all[i].Last < r.UID {
			i++
		}
		if i == len(all) || r.UID < all[i].First {
			gone = append(gone, r)
		}
	}
	return gone
}

// unlisted returns the UIDs of the set of all UIDs that neither base nor list
// knows: messages that the listing should have shown and did not. The caller
// has bounded the size of all.
func unlisted(all state.UIDSet, base []state.Record, list []listed) state.UIDSet {
	var unknown state.UIDSet
	i, j := 0, 0
	for uid := range all.All() {
		for i < len(base) && base[i].UID < uid {
			i++
		}
		for j < len(list) && list[j].uid < uid {
			j++
		}
		known := i < len(base) && base[i].UID == uid || j < len(list) && list[j].uid == uid
		if !known {
			unknown = unknown.Add(uid)
		}
	}
	return unknown
}

// uidsOf returns the UIDs of an ordered listing.
func uidsOf(list []listed) state.UIDSet {
	var set state.UIDSet
	for _, m := range list {
		set = set.Add(m.uid)
	}
	return set
}

// countGone returns how many messages of base are gone, given that everything
// new is in list and that the mailbox holds exists messages. It is negative
// when more messages are there than base and list know of.
func countGone(base []state.Record, fresh int, exists uint32) int64 {
	return int64(len(base)) + int64(fresh) - int64(exists)
}
