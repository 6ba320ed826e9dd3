package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// What is absent from one place may be in another. An absence counts only when
// every place on that side has been seen; a new file or message counts as new
// only when it cannot have come from a place that has not been seen.

// ShownWithin is how long a server may take to show what we brought to it, in
// seconds. Until then its absence proves nothing.
const ShownWithin = 10 * 60

// NotShownYet reports whether the message of the record was brought to the server so
// lately that its absence proves nothing. A time of the future is of before the clock
// was set back, and may be long ago.
func NotShownYet(r state.Record, now int64) bool {
	return r.State == state.Paired && r.Since != 0 && r.Since <= now && now-r.Since < ShownWithin
}

// doubtFiles applies this to the files, after the moves that can be seen have
// been matched. What becomes of a message that was moved on the server depends on
// whether its file is really gone.
func (b *builder) doubtFiles() {
	failed := slices.ContainsFunc(b.views, func(v *view) bool { return v.LocalFailed || v.Doubt != state.Believed })
	suspects := b.suspects()
	for _, v := range b.views {
		waiting, where := 0, ""
		for _, e := range v.entries {
			if e.local != conflict.LocalAbsent {
				continue
			}
			path, suspected := suspects.of(e.base)
			if failed || suspected {
				e.local = conflict.LocalUnknown
			}
			if suspected {
				waiting, where = waiting+1, path
			}
		}
		if waiting > 0 {
			b.plan.Problems = append(b.plan.Problems, strayProblem(v, waiting, where))
		}
	}
}

// doubt applies this to the messages on the server, and then lets wait what it
// concerns.
func doubt(views []*view, in Input) {
	moved := lookedFor(in.Mailboxes)
	// What a mailbox in doubt holds is not known either.
	failed := slices.ContainsFunc(views, func(v *view) bool {
		return v.RemoteFailed || v.Doubt != state.Believed || v.hasHole() || v.passesBy(moved)
	})
	unseen := make(map[state.Digest]bool)
	unlisted := make(map[state.Digest]bool)
	for _, v := range views {
		for _, digest := range v.Unseen {
			unseen[digest] = true
		}
		for _, header := range v.Unlisted {
			unlisted[header] = true
		}
	}
	unread := unreadHeaders(views)
	for _, v := range views {
		v.doubted = !v.known() || v.hasHole() || v.LocalFailed || v.RemoteFailed
		for _, e := range v.entries {
			if e.remote == conflict.RemoteAbsent && (failed || NotShownYet(e.base, in.Now)) {
				e.remote = conflict.RemoteUnknown
			}
			if e.local == conflict.LocalUnknown || e.remote == conflict.RemoteUnknown {
				v.doubted = true
			}
			v.awaitBody(e, unread, in.Holds)
		}
		v.setAsideUnread(unread)
		v.withhold(unseen, unlisted)
	}
}

// hasHole reports whether the server did not list the mailbox completely.
func (m *Mailbox) hasHole() bool { return m.Remote != nil && m.Remote.GoneUnknown }

// withhold lets wait what may have been moved here from a place that was not
// seen, on both sides: the file and the message of the same move must not be
// taken for two new ones.
func (v *view) withhold(unseen, unlisted map[state.Digest]bool) {
	for _, m := range v.newRemote {
		if unlisted[m.Identity.Header] && m.Identity.Header != (state.Digest{}) {
			v.withheld[m.Identity.Header] = true
		}
	}
	for _, m := range v.newLocal {
		if unseen[m.Content.Digest] {
			v.withheld[m.Content.Header] = true
		}
	}
	if v.Local != nil && hasSuspects(v.Local.Strays) {
		v.newRemote = without(v.newRemote, func(i int) bool {
			id := v.newRemote[i].Identity
			if !v.mayBeUnread(id) {
				return false
			}
			v.unsure++
			if id != (state.RemoteIdentity{}) && id != Unidentified {
				v.withheld[id.Header] = true // nor may a file that has it be taken for new
			}
			return true
		})
	}
	v.waiting = v.waiting || v.unsure > 0
	if len(v.withheld) == 0 {
		return
	}
	v.waiting = true
	v.newLocal = without(v.newLocal, func(i int) bool { return v.withheld[v.newLocal[i].Content.Header] })
	v.newRemote = without(v.newRemote, func(i int) bool {
		id := v.newRemote[i].Identity
		return id == (state.RemoteIdentity{}) || v.withheld[id.Header]
	})
}

// mayBeUnread reports whether a message can be the one in a file that is not
// understood. One that could be read tells by its header; of another one, with line
// ends of two bytes the message is larger than the file, and at most twice as large. An
// empty file holds no message, and of one of which the size is not known anything may
// be true.
func (v *view) mayBeUnread(id state.RemoteIdentity) bool {
	return slices.ContainsFunc(v.Local.Strays, func(s state.Stray) bool {
		size := s.Stat.Size
		switch {
		case s.Cleared || s.Leftover:
			return false
		case s.Readable():
			return id.Header == s.Content.Header
		case s.Stat == (state.FileStat{}):
			return true
		}
		return size > 0 && (id.Size <= 0 || size <= id.Size && id.Size <= 2*size)
	})
}
