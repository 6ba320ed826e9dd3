package remote

import (
	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// uidsTo translates a set for a command.
func uidsTo(set state.UIDSet) imap.UIDSet {
	uids := make(imap.UIDSet, len(set))
	for i, r := range set {
		uids[i] = imap.UIDRange{Start: imap.UID(r.First), Stop: imap.UID(r.Last)}
	}
	return uids
}

// uidsFrom translates a set that the server sent. It refuses sets with "*" and
// sets of more than limit UIDs: a few bytes can name four thousand million, so
// the size is computed from the ranges and nothing is expanded before.
func uidsFrom(set imap.NumSet, limit uint64) (state.UIDSet, bool) {
	if set == nil {
		return nil, true
	}
	uids, ok := set.(imap.UIDSet)
	if !ok || uids.Dynamic() {
		return nil, false
	}
	var out state.UIDSet
	var count uint64
	for _, r := range uids {
		if r.Start == 0 || r.Stop < r.Start {
			return nil, false
		}
		count += uint64(r.Stop) - uint64(r.Start) + 1
		if count > limit {
			return nil, false
		}
		out = out.AddRange(state.UIDRange{First: state.UID(r.Start), Last: state.UID(r.Stop)})
	}
	return out, out.Check() == nil
}

// pairUIDs pairs the source and destination UIDs of a COPYUID answer. It
// returns false when the two do not fit each other, or name more messages than
// were asked for. RFC 4315, section 3.
func pairUIDs(source, dest imap.NumSet, limit int) (map[state.UID]state.UID, bool) {
	from, okFrom := uidsFrom(source, uint64(limit))
	to, okTo := uidsFrom(dest, uint64(limit))
	if !okFrom || !okTo || from.Len() == 0 || from.Len() != to.Len() {
		return nil, false
	}
	targets := make([]state.UID, 0, to.Len())
	for uid := range to.All() {
		targets = append(targets, uid)
	}
	pairs := make(map[state.UID]state.UID, len(targets))
	for uid := range from.All() {
		pairs[uid] = targets[len(pairs)]
	}
	return pairs, true
}

// without returns the UIDs of set that gone does not hold.
func without[V any](set state.UIDSet, gone map[state.UID]V) state.UIDSet {
	var rest state.UIDSet
	for uid := range set.All() {
		if _, found := gone[uid]; !found {
			rest = rest.Add(uid)
		}
	}
	return rest
}
