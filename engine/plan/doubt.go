package plan

import (
	"mailmoor/conflict"
	"mailmoor/state"
)

// What is absent from one place may be in another. An absence counts only when
// every place on that side has been seen; a new file or message counts as new
// only when it cannot have come from a place that has not been seen.

// shownWithin is how long a server may take to show what we brought to it, in
// seconds. Until then its absence proves nothing.
const shownWithin = 10 * 60

// doubt applies this to all views, after the moves that can be seen have been
// matched.
func doubt(views []*view, now int64) {
	localFailed, remoteFailed := false, false
	unseen := make(map[state.Digest]bool)
	unlisted := make(map[state.RemoteIdentity]bool)
	for _, v := range views {
		// What a mailbox in doubt holds is not known either.
		localFailed = localFailed || v.LocalFailed || v.Doubt != state.Believed
		remoteFailed = remoteFailed || v.RemoteFailed || v.Doubt != state.Believed
		for _, digest := range v.Unseen {
			unseen[digest] = true
		}
		for _, id := range v.Unlisted {
			unlisted[id] = true
		}
	}
	keys, files := unread(views)
	for _, v := range views {
		for _, e := range v.entries {
			stat := e.base.Stat
			if e.local == conflict.LocalAbsent && (keys[e.base.Key] || files[state.FileStat{Inode: stat.Inode, Size: stat.Size}]) {
				e.local = conflict.LocalUnknown
			}
			if e.remote == conflict.RemoteAbsent && e.base.State == state.Paired && e.base.Since != 0 && now-e.base.Since < shownWithin {
				e.remote = conflict.RemoteUnknown
			}
		}
		v.doubtAbsences(localFailed, remoteFailed)
		v.withhold(unseen, unlisted)
	}
}

// unread returns the keys, and the inodes with their sizes, of the files that
// nobody could read: one that is missing elsewhere may be among them.
func unread(views []*view) (keys map[state.Key]bool, files map[state.FileStat]bool) {
	keys, files = make(map[state.Key]bool), make(map[state.FileStat]bool)
	for _, v := range views {
		if v.Local == nil {
			continue
		}
		for _, m := range v.Local.Unread {
			keys[m.Key] = true
			if m.Stat.Inode != 0 {
				files[state.FileStat{Inode: m.Stat.Inode, Size: m.Stat.Size}] = true
			}
		}
	}
	return keys, files
}

func (v *view) doubtAbsences(localFailed, remoteFailed bool) {
	v.doubted = !v.known() || v.Remote.GoneUnknown || v.LocalFailed || v.RemoteFailed
	for _, e := range v.entries {
		if localFailed && e.local == conflict.LocalAbsent {
			e.local, v.doubted = conflict.LocalUnknown, true
		}
		if remoteFailed && e.remote == conflict.RemoteAbsent {
			e.remote, v.doubted = conflict.RemoteUnknown, true
		}
		if e.local == conflict.LocalUnknown || e.remote == conflict.RemoteUnknown {
			v.doubted = true
		}
	}
}

// withhold lets wait what may have been moved here from a place that was not
// seen, on both sides: the file and the message of the same move must not be
// taken for two new ones.
func (v *view) withhold(unseen map[state.Digest]bool, unlisted map[state.RemoteIdentity]bool) {
	for _, m := range v.newRemote {
		if unlisted[m.Identity] {
			v.withheld[m.Identity.Header] = true
		}
	}
	for _, m := range v.newLocal {
		if unseen[m.Content.Digest] {
			v.withheld[m.Content.Header] = true
		}
	}
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
