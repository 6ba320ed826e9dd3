package engine

import (
	"context"
	"slices"

	"mailmoor/state"
)

// A server may show next to nothing of a mailbox, and all of it a moment later under
// other UIDs, as Dovecot does that has lost dovecot-uidlist. So before anything is done
// about a message that is gone, the mailbox is asked once more how much there is in it.

// awaitLost leaves those uploads to the next round that bring a message back which
// the server has lost or deleted, when there is more in its mailbox than was observed:
// the message may be back, as in a mailbox whose index is being rebuilt.
func (x *executor) awaitLost(ctx context.Context, conn *lease, t *target, items []item) ([]item, error) {
	waits := make(map[string]bool)
	for _, it := range items {
		from := it.lostIn()
		if _, asked := waits[from]; asked || from == "" {
			continue
		}
		grown, err := x.grew(ctx, conn, x.targets[from])
		switch {
		case err != nil && (from == t.Name || state.ScopeOf(err) >= state.ScopeAccount):
			return nil, err
		case err != nil:
			grown = true
			x.leaveOpen(from)
			x.problem(state.ProblemOf(from, "", err))
		}
		waits[from] = grown
		if grown {
			t.leaveOpen()
		}
	}
	return slices.DeleteFunc(items, func(it item) bool { return waits[it.lostIn()] }), nil
}

// grew reports whether there is more in the mailbox than was observed, or less than it
// must have, and notes it. A run waits for that once: one more look has seen what was
// back, and a mailbox to which mail comes all the time must not wait for ever.
func (x *executor) grew(ctx context.Context, conn *lease, t *target) (bool, error) {
	if t == nil || t.Remote == nil || t.NewMailbox || x.grown[t.Name] {
		return false, nil
	}
	var next state.Cursor
	err := conn.with(ctx, func(r Remote) (err error) {
		next, err = x.learnGeneration(ctx, r, t)
		return err
	})
	if err != nil {
		return false, err
	}
	seen := t.Remote.Selected.Cursor
	if next.UIDNext == seen.UIDNext && next.Messages <= seen.Messages {
		return false, nil
	}
	t.note(noteOpen | noteGrown)
	return true, nil
}

// lostIn is the mailbox that has lost the message which the upload brings back, there or
// to where the file lies now; empty if it does not.
func (it item) lostIn() string {
	if it.edited || it.base.State != state.Paired && it.base.State != state.Lost {
		return ""
	}
	return it.base.Mailbox
}
