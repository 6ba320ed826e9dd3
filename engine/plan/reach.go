package plan

import (
	"slices"

	"mailmoor/state"
)

// Reach says which messages on the server are wanted. What is beyond it is seen
// and counted, and neither downloaded nor removed on either side. A message that
// is on both sides already stays there, whatever becomes of it.
type Reach struct {
	// SizeMax is the largest wanted size in bytes as the server gives it, 0 for
	// any.
	SizeMax int64
	// AgeMax is how old a message may be by its INTERNALDATE, in seconds; 0 for
	// any age.
	AgeMax int64
}

// limited reports whether anything can be beyond the reach.
func (r Reach) limited() bool { return r.SizeMax > 0 || r.AgeMax > 0 }

// Has reports whether the message is wanted at the time now (Unix seconds). One
// of which nothing is known is.
func (r Reach) Has(id state.RemoteIdentity, now int64) bool {
	tooBig := r.SizeMax > 0 && id.Size > r.SizeMax
	tooOld := r.AgeMax > 0 && id.Date != 0 && id.Date < now-r.AgeMax
	return !tooBig && !tooOld
}

// exclude takes the messages that are not wanted out of the new ones.
func (b *builder) exclude(v *view) {
	if !b.in.Reach.limited() {
		return
	}
	var beyond []state.RemoteMessage
	v.newRemote = slices.DeleteFunc(v.newRemote, func(m state.RemoteMessage) bool {
		if b.in.Reach.Has(m.Identity, b.in.Now) {
			return false
		}
		beyond = append(beyond, m)
		return true
	})
	if len(beyond) > 0 {
		b.add(v, Op{Kind: Exclude, Messages: beyond, Why: "larger or older than wanted"})
	}
}
