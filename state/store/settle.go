package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

const insertRecord = `
	INSERT INTO record (mailbox, uid, key, state, flags, inode, size, mtime,
		digest, plain, header, content_size, wire_size, remote_size, remote_date, remote_header,
		tries, next_at, reason, since, local_flags, keywords, local_keywords, sum)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Settle records confirmed results, all or nothing. Put replaces as a set: what
// it replaces is removed before anything is inserted, so that records may swap
// their keys. A record that then still meets another one with its UID or key
// is an error, and nothing is recorded. Mailboxes come first, so that one may be
// put together with its first records.
func (s *Store) Settle(ctx context.Context, settlement state.Settlement) error {
	if settled(settlement) == 0 {
		return nil
	}
	doing := state.Textf("record the results of %s", state.Count(len(settlement.Put)+len(settlement.Drop), "message"))
	if err := checkSettlement(settlement); err != nil {
		return s.fail(doing, err)
	}
	return s.change(ctx, pointSettled, doing, func(ctx context.Context, tx *sql.Tx) error {
		for _, m := range settlement.Mailboxes {
			if err := upsertMailbox(ctx, tx, m); err != nil {
				return err
			}
		}
		ids := mailboxIDs{}
		if err := dropRecords(ctx, tx, ids, settlement.Drop); err != nil {
			return err
		}
		if err := dropRecords(ctx, tx, ids, settlement.Put); err != nil {
			return err
		}
		if err := insertRecords(ctx, tx, ids, settlement.Put); err != nil {
			return err
		}
		now := s.o.Now().Unix()
		if err := giveUp(ctx, tx, settlement.GivenUp, now); err != nil {
			return err
		}
		if err := endIntents(ctx, tx, settlement.Done); err != nil {
			return err
		}
		if err := recall(ctx, tx, settlement.Recalled); err != nil {
			return err
		}
		if err := bury(ctx, tx, ids, settlement.Buried, now); err != nil {
			return err
		}
		if err := unbury(ctx, tx, ids, settlement.Confirmed); err != nil {
			return err
		}
		return putHeld(ctx, tx, settlement.Held)
	})
}

// settled returns how many things a settlement is about.
func settled(s state.Settlement) int {
	return len(s.Drop) + len(s.Put) + len(s.Done) + len(s.GivenUp) + len(s.Held) + len(s.Mailboxes) +
		len(s.Recalled) + len(s.Buried) + len(s.Confirmed)
}

// checkSettlement reports a settlement that must not be recorded.
func checkSettlement(s state.Settlement) error {
	for _, m := range s.Mailboxes {
		if err := m.Check(); err != nil {
			return err
		}
	}
	for _, r := range s.Put {
		if err := r.Check(); err != nil {
			return err
		}
	}
	for _, b := range s.Buried {
		if err := checkTombstone(b); err != nil {
			return err
		}
	}
	for _, h := range s.Held {
		if err := checkHeld(h); err != nil {
			return err
		}
	}
	return nil
}

// dropRecords removes records by UID, or by key where the UID is 0. Those that
// are not there are passed over: a settlement may be carried out again.
func dropRecords(ctx context.Context, tx *sql.Tx, ids mailboxIDs, records []state.Record) error {
	if len(records) == 0 {
		return nil
	}
	byUID, err := tx.PrepareContext(ctx, "DELETE FROM record WHERE mailbox = ? AND uid = ?")
	if err != nil {
		return err
	}
	defer byUID.Close()
	byKey, err := tx.PrepareContext(ctx, "DELETE FROM record WHERE mailbox = ? AND key = ?")
	if err != nil {
		return err
	}
	defer byKey.Close()
	for _, r := range records {
		mailbox, err := ids.of(ctx, tx, r.Mailbox)
		if err != nil {
			return err
		}
		switch {
		case r.UID != 0:
			_, err = byUID.ExecContext(ctx, mailbox, int64(r.UID))
		case r.Key != "":
			_, err = byKey.ExecContext(ctx, mailbox, string(r.Key))
		default:
			err = errors.New("it has neither UID nor key")
		}
		if err != nil {
			return fmt.Errorf("drop the record of UID %d, key %q in mailbox %q: %w", r.UID, r.Key, r.Mailbox, err)
		}
	}
	return nil
}

func insertRecords(ctx context.Context, tx *sql.Tx, ids mailboxIDs, records []state.Record) error {
	if len(records) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, insertRecord)
	if err != nil {
		return err
	}
	defer insert.Close()
	var sum rowSum
	for _, r := range records {
		mailbox, err := ids.of(ctx, tx, r.Mailbox)
		if err != nil {
			return err
		}
		sum = appendRecord(sum[:0], mailbox, r)
		if _, err := insert.ExecContext(ctx, mailbox, uidValue(r.UID), textValue(string(r.Key)),
			int64(r.State), int64(r.Flags), int64(r.Stat.Inode), r.Stat.Size, r.Stat.Mtime,
			digestValue(r.Content.Digest), digestValue(r.Content.Plain), digestValue(r.Content.Header), r.Content.Size, r.Content.WireSize,
			r.Remote.Size, r.Remote.Date, digestValue(r.Remote.Header),
			int64(r.Retry.Count), r.Retry.NextAt, r.Retry.Reason, r.Since, int64(r.LocalFlags),
			string(r.Keywords), string(r.LocalKeywords), sum.value()); err != nil {
			return fmt.Errorf("put the record of UID %d, key %q in mailbox %q: %w", r.UID, r.Key, r.Mailbox, err)
		}
	}
	return nil
}
