package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// A body that was to be read to tell which message it is, and that the server does not
// give, may never come. Then only what may be that message waits: the one that is gone
// elsewhere, and the new file, of the same header or date. The rest of the mailbox goes on.

// unreadHeaders returns the headers of new messages whose bodies cannot be had, and which
// nothing else has explained.
func unreadHeaders(views []*view) map[state.Digest]bool {
	headers := make(map[state.Digest]bool)
	for _, v := range views {
		for _, m := range v.newRemote {
			if m.Unread {
				headers[m.Identity.Header] = true
			}
		}
	}
	return headers
}

// awaitBody lets a message wait that is gone from one side and may be the one that cannot
// be read. A hold of the mailbox stays as it is meanwhile.
func (v *view) awaitBody(e *entry, unread map[state.Digest]bool, holds []state.Hold) {
	gone := e.remote == conflict.RemoteAbsent || e.local == conflict.LocalAbsent || e.local == conflict.LocalMoved
	if !gone || !unread[HeaderOf(e.base)] {
		return
	}
	e.remote = conflict.RemoteUnknown
	if slices.ContainsFunc(holds, func(h state.Hold) bool { return h.Mailbox == v.Name }) {
		v.doubted = true
	}
}

// setAsideUnread takes the messages that cannot be read, and what may be the same, out of
// the new ones. A file of the same date may be the same, too: see ambiguous.
func (v *view) setAsideUnread(unread map[state.Digest]bool) {
	files, messages := len(v.newLocal), len(v.newRemote)
	dates := make(map[int64]bool)
	for _, m := range v.newRemote {
		dates[m.Identity.Date] = dates[m.Identity.Date] || m.Unread && m.Identity.Date != 0
	}
	v.newLocal = without(v.newLocal, func(i int) bool {
		return unread[v.newLocal[i].Content.Header] || dates[v.newLocal[i].Date]
	})
	v.newRemote = without(v.newRemote, func(i int) bool {
		return unread[v.newRemote[i].Identity.Header] && v.newRemote[i].Identity != (state.RemoteIdentity{})
	})
	v.waiting = v.waiting || len(v.newLocal) < files || len(v.newRemote) < messages
}
