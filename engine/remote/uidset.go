package remote

import (
	"iter"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

const (
	// commandMessagesMax is how many messages a command names at most. Servers that
	// limit it allow 1,000 or more: RFC 9738, section 3.
	commandMessagesMax = 1000
	// commandSetBytesMax is how long a set may be, so that the line of the command stays
	// within the 8,192 bytes that every server takes: RFC 7162, section 4.
	commandSetBytesMax = 8000
)

// perCommand yields the set in parts, each of which one command may name.
func perCommand(set state.UIDSet) iter.Seq[state.UIDSet] {
	return func(yield func(state.UIDSet) bool) {
		for chunk := range set.Chunks(commandMessagesMax) {
			for len(chunk) > 0 {
				n, bytes := 0, 0
				for n < len(chunk) && bytes <= commandSetBytesMax-rangeBytesMax {
					bytes += len(chunk[n:n+1].String()) + 1
					n++
				}
				if !yield(chunk[:n]) {
					return
				}
				chunk = chunk[n:]
			}
		}
	}
}

// rangeBytesMax is the length of 4294967294:4294967295 with its comma.
const rangeBytesMax = 22

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
