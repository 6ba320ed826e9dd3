package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

// Holds returns the holds that have not been dropped, ordered by ID.
func (s *Store) Holds(ctx context.Context) ([]state.Hold, error) {
	const doing = "read the holds"
	rows, err := s.reader.QueryContext(ctx, selectHolds)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	stored, err := scanHolds(rows)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	holds := make([]state.Hold, len(stored))
	for i, h := range stored {
		holds[i] = h.Hold
	}
	return holds, nil
}

// Decide records what the user said of a hold, and returns the hold. It needs
// no lock on the account: the decision takes effect in the next cycle. A later
// decision replaces an earlier one.
func (s *Store) Decide(ctx context.Context, holdID int64, d state.Decision) (state.Hold, error) {
	doing := state.Textf("decide on hold %d", holdID)
	if d != state.Approved && d != state.Rejected {
		return state.Hold{}, s.fail(doing, fmt.Errorf("decision %d does not exist", d))
	}
	var decided state.Hold
	err := s.write(ctx, pointDecided, doing, func(ctx context.Context, tx *sql.Tx) error {
		stored, err := loadHolds(ctx, tx)
		if err != nil {
			return err
		}
		for _, h := range stored {
			if h.ID == holdID {
				h.Decision = d
				decided = h.Hold
				return updateDecision(ctx, tx, h)
			}
		}
		return unknownHold(doing, stored)
	})
	return decided, err
}

// unknownHold tells which holds are open instead.
func unknownHold(doing state.Text, stored []storedHold) error {
	hint := state.Text("no hold is open")
	if len(stored) > 0 {
		open := make([]string, len(stored))
		for i, h := range stored {
			open[i] = fmt.Sprint(h.ID)
		}
		hint = state.Textf("open holds: %s", state.List(open))
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseGone, Doing: doing, Hint: hint,
		Err: errors.New("there is no such hold; it may have been carried out, or its messages are back"),
	}
}

// PutHolds replaces all holds by these and returns them with their IDs and the
// decisions that the user has made. New ones have ID 0. A hold that now covers
// more than before becomes another hold, with an ID of its own and undecided:
// no approval may reach further than what the user saw.
func (s *Store) PutHolds(ctx context.Context, holds []state.Hold) ([]state.Hold, error) {
	doing := state.Textf("write %s", state.Count(len(holds), "hold"))
	for _, h := range holds {
		if err := checkHold(h); err != nil {
			return nil, s.fail(doing, err)
		}
	}
	if len(holds) == 0 {
		// Only this method adds holds, so that nothing to remove stays so.
		if stored, err := s.Holds(ctx); err != nil || len(stored) == 0 {
			return nil, err
		}
	}
	var result []state.Hold
	err := s.change(ctx, pointHolds, doing, func(ctx context.Context, tx *sql.Tx) error {
		stored, err := loadHolds(ctx, tx)
		if err != nil {
			return err
		}
		last, err := lastID(ctx, tx, "hold")
		if err != nil {
			return err
		}
		if result, err = mergeHolds(stored, holds, last); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM hold"); err != nil {
			return err
		}
		ids := mailboxIDs{}
		for _, h := range result {
			mailbox, err := ids.of(ctx, tx, h.Mailbox)
			if err != nil {
				return err
			}
			if err := insertHold(ctx, tx, storedHold{h, mailbox}); err != nil {
				return fmt.Errorf("write hold %d: %w", h.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// mergeHolds is the decision of PutHolds; last is the highest ID ever given.
func mergeHolds(stored []storedHold, holds []state.Hold, last int64) ([]state.Hold, error) {
	old := make(map[int64]state.Hold, len(stored))
	for _, h := range stored {
		old[h.ID] = h.Hold
	}
	result := make([]state.Hold, len(holds))
	for i, h := range holds {
		was, found := old[h.ID]
		delete(old, h.ID) // each ID at most once
		switch {
		case h.ID != 0 && !found:
			return nil, fmt.Errorf("hold %d of mailbox %q: %w, or it is named twice", h.ID, h.Mailbox, errUnknown)
		case h.ID == 0:
			last++
			h.ID = last
		case grown(was, h):
			last++
			h.ID, h.Decision = last, state.Undecided
		default:
			h.Decision = was.Decision
		}
		result[i] = h
	}
	return result, nil
}

// grown reports whether now covers something that was did not.
func grown(was, now state.Hold) bool {
	if was.Mailbox != now.Mailbox || was.Missing != now.Missing || now.Whole && !was.Whole {
		return true
	}
	if now.Lost > was.Lost || now.Through > was.Through {
		return true
	}
	// Both are ascending, and no range touches the next: a range is covered
	// when one range covers it.
	i := 0
	for _, r := range now.UIDs {
		for i < len(was.UIDs) && was.UIDs[i].Last < r.First {
			i++
		}
		if i == len(was.UIDs) || r.First < was.UIDs[i].First || r.Last > was.UIDs[i].Last {
			return true
		}
	}
	return false
}

// checkHold reports a hold that must be neither stored nor believed.
func checkHold(h state.Hold) error {
	err := h.UIDs.Check()
	switch {
	case h.Mailbox == "":
		err = errors.New("it names no mailbox")
	case h.Missing != state.Local && h.Missing != state.Remote:
		err = fmt.Errorf("side %d does not exist", h.Missing)
	case h.Lost < 0:
		err = fmt.Errorf("it covers %s that the server lost", state.Count(h.Lost, "message"))
	case h.Decision > state.Rejected:
		err = fmt.Errorf("decision %d does not exist", h.Decision)
	}
	if err != nil {
		return fmt.Errorf("hold %d of mailbox %q: %w", h.ID, h.Mailbox, err)
	}
	return nil
}
