package engine

import (
	"context"
	"errors"
	"fmt"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// relist lists everything that the server shows of a mailbox in doubt. What it
// may have lost, or have moved elsewhere, is not known in this cycle.
func (e *Engine) relist(ctx context.Context, conn *lease, l *look) error {
	if err := e.unlist(ctx, l); err != nil {
		return err
	}
	l.Base, l.RemoteFailed = l.base, true
	var delta state.RemoteDelta
	err := conn.with(ctx, func(r Remote) (err error) {
		delta, err = r.Delta(ctx, l.Name, state.Cursor{}, state.SeenSet{})
		return err
	})
	if err == nil {
		err = delta.Check()
	}
	if err == nil && delta.GoneUnknown {
		err = &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Textf("match mailbox %q afresh", l.Name),
			Hint: "nothing is changed in it until that works; the next run tries again",
			Err:  errors.New("the server renumbered, replaced or restored it, and does not list all of it"),
		}
	}
	if err != nil {
		return err
	}
	l.Relisted = &delta
	return nil
}

// unlist notes what may have been moved elsewhere from a mailbox that cannot be
// compared with its records.
func (e *Engine) unlist(ctx context.Context, l *look) error {
	if err := e.readBase(ctx, l); err != nil {
		return err
	}
	l.Unlisted = nil
	for _, r := range l.base {
		if r.UID != 0 || r.State == state.Lost {
			l.Unlisted = append(l.Unlisted, plan.HeaderOf(r))
		}
	}
	return nil
}

// rematch records how the records of a mailbox in doubt are bound to what the
// server shows now, all of them in one transaction. From then on the mailbox is
// one like any other, of which nothing has been followed yet.
func (x *executor) rematch(ctx context.Context, b batch) error {
	for _, op := range b.ops {
		if err := x.rematchMailbox(ctx, b.target, *op.Rematching); err != nil {
			return err
		}
	}
	return nil
}

func (x *executor) rematchMailbox(ctx context.Context, t *target, r plan.Rematching) error {
	intents, err := x.Store.Intents(ctx)
	if err != nil {
		return err
	}
	// What was removed before does not concern the messages that are there now.
	s := state.Settlement{Drop: r.Drop, Put: r.Put, Confirmed: t.Buried}
	for _, i := range intents {
		if i.Mailbox == t.Name && i.Kind == state.IntentDownload {
			if err := x.Local.Discard(ctx, t.Folder, i.Key); err != nil {
				return err
			}
		}
		if i.Mailbox == t.Name {
			// Its UIDs count no more. A file or message that came of it is paired
			// by its content.
			s.Done = append(s.Done, i.ID)
		}
	}
	known := *t.Known
	known.Cursor, known.Stamp, known.Doubt, known.Sampled = r.Cursor, state.FolderStamp{}, state.Believed, x.now()
	known.Tagged = false // keywords of both sides that add up are still to be sent
	s.Mailboxes = []state.Mailbox{known}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	x.progressed()
	x.Log.Debug().Str("mailbox", t.Name).Stringer("outcome", r).Msg("matched the records of the mailbox afresh")
	x.rematched(t.Name, t.Doubt, r)
	return nil
}

// noteDoubt remembers that the UIDs of a mailbox turned out to name other
// messages. The next round matches its records afresh.
func (x *executor) noteDoubt(ctx context.Context, t *target, cause error) error {
	x.Log.Debug().Err(cause).Str("mailbox", t.Name).Msg("the UIDs of the mailbox are in doubt")
	known := *t.Known
	known.Doubt = max(known.Doubt, state.DoubtUIDs)
	if err := x.Store.PutMailbox(ctx, known); err != nil {
		return fmt.Errorf("note that mailbox %q is in doubt: %w", t.Name, err)
	}
	t.note(noteStored)
	x.progressed()
	return nil
}
