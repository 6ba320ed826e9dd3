package state

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// UIDRange is the UIDs First to Last, both included.
type UIDRange struct{ First, Last UID }

// UIDSet is a set of UIDs as ascending ranges that neither overlap nor touch.
// The zero value is the empty set.
type UIDSet []UIDRange

// NewUIDSet returns the set of uids, in any order, with or without repetition.
func NewUIDSet(uids ...UID) UIDSet {
	sorted := slices.Clone(uids)
	slices.Sort(sorted)
	var set UIDSet
	for _, uid := range sorted {
		set = set.Add(uid)
	}
	return set
}

// Add returns the set with uid added at its end. Callers add in ascending
// order; a UID that is not beyond the last one is inserted in its place.
func (s UIDSet) Add(uid UID) UIDSet {
	if n := len(s); n == 0 || uid > s[n-1].Last {
		return s.AddRange(UIDRange{uid, uid})
	}
	if s.Contains(uid) {
		return s
	}
	i := slices.IndexFunc(s, func(r UIDRange) bool { return r.First > uid })
	head, tail := slices.Clone(s[:i]), s[i:]
	head = head.AddRange(UIDRange{uid, uid})
	for _, r := range tail {
		head = head.AddRange(r)
	}
	return head
}

// AddRange returns the set with r, which begins beyond the set's end, appended.
func (s UIDSet) AddRange(r UIDRange) UIDSet {
	if n := len(s); n > 0 && uint64(s[n-1].Last)+1 == uint64(r.First) {
		s[n-1].Last = r.Last
		return s
	}
	return append(s, r)
}

// Len returns the number of UIDs in the set.
func (s UIDSet) Len() int {
	n := 0
	for _, r := range s {
		n += int(uint64(r.Last) - uint64(r.First) + 1)
	}
	return n
}

// Contains reports whether uid is in the set.
func (s UIDSet) Contains(uid UID) bool {
	_, found := slices.BinarySearchFunc(s, uid, func(r UIDRange, uid UID) int {
		switch {
		case r.Last < uid:
			return -1
		case r.First > uid:
			return 1
		}
		return 0
	})
	return found
}

// Without returns the UIDs of s that are not in other.
func (s UIDSet) Without(other UIDSet) UIDSet {
	var rest UIDSet
	i := 0
	for _, r := range s {
		for first := uint64(r.First); first <= uint64(r.Last); {
			for i < len(other) && uint64(other[i].Last) < first {
				i++
			}
			last := uint64(r.Last)
			if i < len(other) && uint64(other[i].First) <= last {
				last = uint64(other[i].First) - 1 // nothing, where first is in other
			}
			if first <= last {
				rest = rest.AddRange(UIDRange{UID(first), UID(last)})
			}
			if first = last + 1; i < len(other) && first == uint64(other[i].First) {
				first = uint64(other[i].Last) + 1
			}
		}
	}
	return rest
}

// Tail returns the n highest UIDs of the set, or all if there are fewer.
func (s UIDSet) Tail(n int) UIDSet {
	for i := len(s) - 1; i >= 0; i-- {
		size := int(uint64(s[i].Last) - uint64(s[i].First) + 1)
		if size >= n {
			tail := append(UIDSet{{s[i].Last - UID(n) + 1, s[i].Last}}, s[i+1:]...)
			return tail
		}
		n -= size
	}
	return s
}

// All yields the UIDs in ascending order.
func (s UIDSet) All() iter.Seq[UID] {
	return func(yield func(UID) bool) {
		for _, r := range s {
			// The counter is wider than a UID so that 4294967295 ends the loop.
			for u := uint64(r.First); u <= uint64(r.Last); u++ {
				if !yield(UID(u)) {
					return
				}
			}
		}
	}
}

// Chunks yields the set in order as sets of at most size UIDs.
func (s UIDSet) Chunks(size int) iter.Seq[UIDSet] { return s.ChunksBy(func() int { return size }) }

// ChunksBy is Chunks with a size that is asked for before each of them.
func (s UIDSet) ChunksBy(size func() int) iter.Seq[UIDSet] {
	return func(yield func(UIDSet) bool) {
		var chunk UIDSet
		room := uint64(size())
		for _, r := range s {
			for first := uint64(r.First); first <= uint64(r.Last); {
				last := min(uint64(r.Last), first+room-1)
				chunk = chunk.AddRange(UIDRange{UID(first), UID(last)})
				room -= last - first + 1
				first = last + 1
				if room == 0 {
					if !yield(chunk) {
						return
					}
					chunk, room = nil, uint64(size())
				}
			}
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

// String returns the set in the syntax of a sequence-set, "1:4,7".
// RFC 9051, section 9.
func (s UIDSet) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(r.First), 10))
		if r.Last != r.First {
			b.WriteByte(':')
			b.WriteString(strconv.FormatUint(uint64(r.Last), 10))
		}
	}
	return b.String()
}

// Check reports a set that is not ascending, disjoint and free of UID 0.
func (s UIDSet) Check() error {
	for i, r := range s {
		switch {
		case r.First == 0 || r.Last < r.First:
			return fmt.Errorf("UID range %d:%d is not a range", r.First, r.Last)
		case i > 0 && uint64(r.First) <= uint64(s[i-1].Last)+1:
			return fmt.Errorf("UID ranges %d:%d and %d:%d are not apart", s[i-1].First, s[i-1].Last, r.First, r.Last)
		}
	}
	return nil
}
