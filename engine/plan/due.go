package plan

import (
	"cmp"
	"slices"
)

const (
	// dueEvery is how often a mailbox is listed as a whole, and a sample of its messages
	// compared, whatever seems to have changed: one that was restored from a backup
	// can look as if nothing had. Seconds.
	dueEvery = 24 * 60 * 60
	// dueMax is about how many messages are listed for that in one cycle. The records
	// of all of them are in memory then, and a run should get to its work.
	dueMax = 200_000
)

// Due returns the known mailboxes for which it is time, at now, to be listed as a whole.
// Where that is too much for one cycle, those that have waited longest come first.
func Due(mailboxes []Mailbox, now int64) map[string]bool {
	waiting := slices.DeleteFunc(slices.Clone(mailboxes), func(m Mailbox) bool {
		return m.Known == nil || now-m.Known.Sampled < dueEvery
	})
	slices.SortStableFunc(waiting, func(a, b Mailbox) int { return cmp.Compare(a.Known.Sampled, b.Known.Sampled) })
	due, messages := make(map[string]bool), 0
	for _, m := range waiting {
		messages += int(m.Known.Cursor.Messages)
		if messages > dueMax && len(due) > 0 {
			break
		}
		due[m.Name] = true
	}
	return due
}
