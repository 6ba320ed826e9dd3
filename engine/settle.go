package engine

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// target is one mailbox while the plan is carried out. Its methods may be
// called from several goroutines.
type target struct {
	*plan.Mailbox
	// created is true when the mailbox was created in this cycle.
	created bool

	mu sync.Mutex
	// generation is the UIDVALIDITY of a mailbox that was created in this
	// cycle, once it has been asked for.
	generation uint32
	notes      note
}

// The kinds of note on a target, made by operations that run side by side.
const (
	// noteOpen says that something in this mailbox did not settle, so that the
	// cursor must stay and nothing may be removed in this cycle.
	noteOpen note = 1 << iota
	// noteDoubted says that a file in this mailbox's folder is not what the scan
	// made of it, as after an edit that only a look at the file itself shows.
	noteDoubted
	// noteStored says that the store has been told more of the mailbox than Known
	// says, since this cycle began.
	noteStored
	// noteGrown says that there was more in the mailbox than had been observed, so that
	// the next round must look.
	noteGrown
)

type note uint8

func (t *target) note(n note) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes |= n
}

func (t *target) has(n note) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.notes&n != 0
}

// leaveOpen notes that something did not settle.
func (t *target) leaveOpen() { t.note(noteOpen) }

// doubt makes the next scan of the folder look at every file, so that what is
// stale now is not stale for ever.
func (t *target) doubt() { t.note(noteOpen | noteDoubted) }

// unmade reports whether the folder, the mailbox or its record is still to be
// made, so that no message can be brought there in this cycle.
func (t *target) unmade() bool {
	return t.Folder == "" || t.Known == nil || t.NewMailbox && !t.created
}

// ref names the generation of the mailbox that was observed, or, of one that
// was created in this cycle, the first one seen.
func (t *target) ref() state.Ref {
	t.mu.Lock()
	defer t.mu.Unlock()
	ref := state.Ref{Mailbox: t.Name, UIDValidity: t.generation}
	if t.Remote != nil && !t.NewMailbox {
		ref.UIDValidity = t.Remote.Selected.UIDValidity
	}
	return ref
}

func (t *target) setGeneration(generation uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation = generation
}

// had reports whether the mailbox had given the UID when it was observed: a server
// that names it for what was brought there keeps only one of equal messages.
func (t *target) had(uid state.UID) bool {
	return uid != 0 && t.Remote != nil && !t.NewMailbox && uid < t.Remote.Selected.UIDNext
}

// checkGiven reports a server that gave a UID to what was brought to the mailbox, and
// had given it before: it was set back, to a time when it did not have a message yet
// that we had brought there. The UIDs are in doubt, and a record under this one would
// take the place of that message's.
func (t *target) checkGiven(uid state.UID) error {
	if uid == 0 || uid > t.Highest {
		return nil
	}
	return &state.Error{
		Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Textf("bring messages to mailbox %q", t.Name),
		Err: fmt.Errorf("the server gave UID %d, which is not above %d, known before", uid, t.Highest),
	}
}

// settle records results in one transaction, when they are durable. What has happened is
// recorded even when the run is told to end just now: who is told what was done believes it.
func (e *Engine) settle(ctx context.Context, t *tally, s state.Settlement) error {
	recorded := len(s.Drop) + len(s.Put) + len(s.Held) + len(s.Mailboxes) + len(s.GivenUp)
	if recorded+len(s.Done)+len(s.Recalled)+len(s.Buried)+len(s.Confirmed) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if err := e.Local.Sync(ctx); err != nil {
		return err
	}
	if err := e.Store.Settle(ctx, s); err != nil {
		return fmt.Errorf("record results: %w", err)
	}
	if recorded > 0 {
		t.progressed()
	}
	return nil
}

// saveCursor records how far the mailbox has been followed, if everything seen
// in this cycle has settled. Else it notes only that the mailbox was listed as a whole:
// what is held for a week is no reason to do that in each run.
func (e *Engine) saveCursor(ctx context.Context, t *target) error {
	if t.unmade() || t.Remote == nil || t.Remote.GoneUnknown {
		return nil
	}
	now := *t.Known
	switch {
	case !t.Suspended && t.Local != nil && !t.has(noteOpen):
		now = e.followed(t)
	case t.has(noteStored):
		return nil // what was stored in this cycle is newer
	}
	if t.Sampled {
		now.Sampled = e.now()
	}
	if now == *t.Known {
		return nil
	}
	if err := e.Store.PutMailbox(ctx, now); err != nil {
		return fmt.Errorf("save cursor of mailbox %q: %w", t.Name, err)
	}
	return nil
}

// followed is the mailbox as it is recorded when everything seen has settled.
func (e *Engine) followed(t *target) state.Mailbox {
	now := *t.Known
	now.Cursor.UIDValidity = t.ref().UIDValidity
	if !t.NewMailbox {
		now.Cursor = t.Remote.Selected.Cursor
	}
	now.Tagged = true
	if len(t.Local.Problems) == 0 {
		now.Stamp = t.Local.Stamp
	}
	switch {
	case t.Local.Statted && !t.Local.Defective:
		now.Statted = e.now()
	case t.Local.Statted:
		// What a name alone does not show must be said until it is mended.
		now.Statted = 0
	}
	return now
}

// copyBody copies a body in pieces that bound the memory used.
func copyBody(to io.Writer, from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10))
}

// dateMax is the largest date that every server takes: 2037-12-31.
const dateMax = 2145830400

// sendDate is the INTERNALDATE to ask for: what the record has, else the
// file's own date, within what servers understand.
func sendDate(base state.Record, file state.LocalMessage) int64 {
	date := base.Remote.Date
	if date == 0 {
		date = file.Date
	}
	return max(0, min(date, dateMax))
}

// back-off of stuck messages: an hour, doubled each time, a week at most.
const (
	retryFirst = 60 * 60
	retryMax   = 7 * 24 * 60 * 60
)

// nextRetry says when a stuck message is tried again.
func nextRetry(before state.Retry, now int64, reason state.Text) state.Retry {
	wait := int64(retryMax)
	if before.Count < 8 {
		wait = min(wait, retryFirst<<before.Count)
	}
	return state.Retry{Count: before.Count + 1, NextAt: now + wait, Reason: reason}
}

// nextTry says it to the user.
func nextTry(r state.Retry) state.Text {
	return state.Textf("it is tried again after %s; mailmoor sync --retry tries at once", time.Unix(r.NextAt, 0).Format("2006-01-02 15:04"))
}
