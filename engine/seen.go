package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// A mailbox in which nothing was found that concerns every message is compared with what
// the store says when it is asked. The records of the others are read as a whole.

// storedSeen is what the store knows of a mailbox that has records with these UIDs. Nothing
// changes there while both sides are looked at.
func (e *Engine) storedSeen(ctx context.Context, mailbox string, uids state.UIDSet) state.SeenSet {
	return state.SeenSet{UIDs: uids, Read: func(uids state.UIDSet) ([]state.Record, error) {
		records, err := e.Store.RecordsOf(ctx, mailbox, uids)
		if err != nil {
			return nil, localError(fmt.Errorf("read records of mailbox %q: %w", mailbox, err))
		}
		return records, nil
	}}
}

// newestMax is how many records are read at a time of those with the highest UIDs.
const newestMax = 64

// newest yields the records of the set from the highest UID down.
func newest(seen state.SeenSet, uids state.UIDSet) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for len(uids) > 0 {
			tail := uids.Tail(newestMax)
			records, err := seen.Records(tail)
			if err != nil {
				yield(state.Record{}, err)
				return
			}
			for _, r := range slices.Backward(records) {
				if !yield(r, nil) {
					return
				}
			}
			uids = uids.Without(tail)
		}
	}
}

// readSeen reads what is known of the mailbox: its records, or only their UIDs where the
// look at it does not need more.
func (e *Engine) readSeen(ctx context.Context, l *look, late bool) error {
	if l.Known == nil {
		return nil
	}
	if l.scan || l.sample || late || e.retrying || !l.Known.Tagged || l.Doubt != state.Believed {
		return e.readBase(ctx, l)
	}
	uids, err := e.Store.UIDs(ctx, l.Name)
	if err != nil {
		return fmt.Errorf("read UIDs of mailbox %q: %w", l.Name, err)
	}
	l.seen = e.storedSeen(ctx, l.Name, uids)
	l.Paired = uids.Len()
	for _, r := range l.Waiting {
		if r.UID != 0 {
			l.Paired--
		}
	}
	if len(uids) > 0 {
		l.Highest = uids[len(uids)-1].Last
	}
	return nil
}

// readBase reads all records of the mailbox.
func (e *Engine) readBase(ctx context.Context, l *look) error {
	if l.base != nil || l.Known == nil {
		return nil
	}
	var err error
	if l.base, err = e.Store.Records(ctx, l.Name); err != nil {
		return fmt.Errorf("read records of mailbox %q: %w", l.Name, err)
	}
	e.retryNow(l.base)
	l.seen = state.SeenOf(withUID(l.base))
	l.Paired, l.Highest, l.Offer = 0, 0, nil
	for _, r := range l.base {
		l.Highest = max(l.Highest, r.UID)
		if r.State != state.Paired {
			continue
		}
		l.Paired++
		// Once a day a server may take what it did not take before.
		if r.LocalKeywords != "" && (l.sample || !l.Known.Tagged) || r.LocalFlags != 0 && l.sample {
			l.Offer = append(l.Offer, r)
		}
	}
	return nil
}

// checkNext compares the records with the UIDNEXT of now. A run that was interrupted
// has recorded messages of which the saved cursor knows nothing yet: when the server
// has not given their UIDs to anybody, it was set back, and they are not deleted.
func (e *Engine) checkNext(seen state.SeenSet, now state.Selected) error {
	if now.UIDNext == 0 {
		return nil
	}
	below := state.UIDSet{{First: 1, Last: now.UIDNext - 1}}
	if now.UIDNext == 1 {
		below = nil
	}
	for r, err := range newest(seen, seen.UIDs.Without(below)) {
		if err != nil {
			return err
		}
		if plan.NotShownYet(r, e.now()) {
			continue
		}
		return &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Textf("list mailbox %q", r.Mailbox),
			Err: fmt.Errorf("UIDNEXT is %d, and UID %d was there before", now.UIDNext, r.UID),
		}
	}
	return nil
}

// withUID returns the records that have a message: those without one come first.
func withUID(base []state.Record) []state.Record {
	first := slices.IndexFunc(base, func(r state.Record) bool { return r.UID != 0 })
	if first < 0 {
		return nil
	}
	return base[first:]
}
