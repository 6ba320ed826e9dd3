package engine

import (
	"context"
	"fmt"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// memory is what is over and may have a sequel.
type memory struct {
	givenUp []state.Intent
	buried  map[string][]state.Tombstone // by mailbox
}

// recollect reads what is over.
func (e *Engine) recollect(ctx context.Context) (memory, error) {
	m := memory{buried: make(map[string][]state.Tombstone)}
	var err error
	if m.givenUp, err = e.Store.GivenUp(ctx); err != nil {
		return m, fmt.Errorf("read uploads that were given up: %w", err)
	}
	tombstones, err := e.Store.Tombstones(ctx)
	if err != nil {
		return m, fmt.Errorf("read removed messages: %w", err)
	}
	for _, t := range tombstones {
		m.buried[t.Mailbox] = append(m.buried[t.Mailbox], t)
	}
	return m, nil
}

// concerns reports whether something that is over must be compared with all that is known
// of the mailbox.
func (m memory) concerns(l *look) bool {
	return slices.ContainsFunc(m.givenUp, func(i state.Intent) bool { return i.Mailbox == l.Name })
}

// late returns the uploads to the mailbox that were given up, and the contents of
// those of which another copy is there.
func (m memory) late(l *look) (late []state.Intent, repeated map[state.Digest]bool) {
	repeated = make(map[state.Digest]bool)
	for _, i := range m.givenUp {
		if i.Mailbox != l.Name {
			continue
		}
		late = append(late, i)
		if slices.ContainsFunc(l.base, func(r state.Record) bool {
			return r.State == state.Paired && r.Content.Digest == i.Content.Digest
		}) {
			repeated[i.Content.Digest] = true
		}
	}
	return late, repeated
}

// confirmed returns the removals that need not be remembered any longer: the
// complete listing of this cycle does not show the message, or it has been
// removed often enough and counts as new.
func confirmed(m *plan.Mailbox) []state.Tombstone {
	if m.Remote == nil || m.Remote.GoneUnknown || m.NewMailbox {
		return nil
	}
	shown := make(map[state.UID]bool)
	for _, r := range m.Remote.New {
		shown[r.UID] = true
	}
	var gone []state.Tombstone
	for _, t := range m.Buried {
		if again := shown[t.UID] && t.UIDValidity == m.Remote.Selected.UIDValidity; !again || t.Tries >= plan.TriesMax {
			gone = append(gone, t)
		}
	}
	return gone
}
