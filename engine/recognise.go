package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mailmoor/state"
)

// Recognises logs in and looks whether the server is the one that the records are about,
// under whatever name: INBOX is of the same generation, and known messages stand under
// their UIDs. It changes nothing. Without records there is nothing that could be wrong.
func (e *Engine) Recognises(ctx context.Context) (bool, error) {
	known, base, err := e.telling(ctx)
	if err != nil {
		return false, err
	}
	same := len(base) == 0
	err = e.pool.with(ctx, func(r Remote) (err error) {
		if !same {
			same, err = recognised(ctx, r, known, base)
		}
		return err
	})
	if err != nil && state.ScopeOf(err) < state.ScopeAccount {
		return false, nil // the mailbox is not there, or is another one, or does not tell
	}
	return same, err
}

// telling returns the mailbox that tells most, INBOX if anything was in it, with its
// records.
func (e *Engine) telling(ctx context.Context) (state.Mailbox, []state.Record, error) {
	mailboxes, err := e.Store.Mailboxes(ctx)
	if err != nil {
		return state.Mailbox{}, nil, fmt.Errorf("read known mailboxes: %w", err)
	}
	slices.SortStableFunc(mailboxes, func(a, b state.Mailbox) int {
		switch "INBOX" {
		case a.Name:
			return -1
		case b.Name:
			return 1
		}
		return cmp.Compare(b.Cursor.Messages, a.Cursor.Messages)
	})
	for _, m := range mailboxes {
		records, err := e.Store.Records(ctx, m.Name)
		if err != nil {
			return state.Mailbox{}, nil, fmt.Errorf("read records of mailbox %q: %w", m.Name, err)
		}
		if records = withUID(records); len(records) > 0 {
			return m, records, nil
		}
	}
	return state.Mailbox{}, nil, nil
}

// recognised compares the newest known messages of a mailbox with what the server shows
// under their UIDs. Some may be gone; not one may be another, and one must be there.
func recognised(ctx context.Context, r Remote, known state.Mailbox, base []state.Record) (bool, error) {
	next, err := r.Next(ctx, known.Name)
	if err != nil || next.UIDValidity != known.Cursor.UIDValidity {
		return false, err
	}
	if next.UIDNext != 0 && next.UIDNext < known.Cursor.UIDNext {
		return false, nil // as in an old copy
	}
	sample, err := sampleRecords(state.SeenOf(base), state.RemoteDelta{})
	if err != nil {
		return false, err
	}
	var uids []state.UID
	for uid := range sample {
		uids = append(uids, uid)
	}
	messages, err := r.Identify(ctx, state.Ref{Mailbox: known.Name, UIDValidity: next.UIDValidity}, state.NewUIDSet(uids...))
	if err != nil {
		return false, err
	}
	for _, m := range messages {
		was := sample[m.UID]
		if !sameMessage(was, m) || was.Remote.Date != m.Identity.Date {
			return false, nil
		}
	}
	return len(messages) > 0, nil
}
