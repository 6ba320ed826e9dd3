package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"mailmoor/state"
)

// UIDs returns the UIDs of all records of the mailbox. One that the store does not know
// has none.
func (s *Store) UIDs(ctx context.Context, mailbox string) (state.UIDSet, error) {
	var uids state.UIDSet
	err := s.ask(ctx, state.Textf("read the UIDs of mailbox %q", mailbox), mailbox, func(tx *sql.Tx, id int64) error {
		count, err := recordCount(ctx, tx, id)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT uid FROM record INDEXED BY record_by_uid WHERE mailbox = ? ORDER BY uid", id)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		var uid sql.NullInt64
		for ; rows.Next(); count-- {
			if err := rows.Scan(&uid); err != nil {
				return unreadable(err)
			}
			switch {
			case !uid.Valid:
				continue // an upload that the server refused
			case uid.Int64 <= last || uid.Int64 > uidMax:
				return fmt.Errorf("the index shows UID %d after UID %d: %w", uid.Int64, last, errDamaged)
			}
			last = uid.Int64
			uids = uids.Add(state.UID(last))
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if count != 0 {
			return fmt.Errorf("one index shows %s more than another: %w", state.Count(count, "record"), errDamaged)
		}
		return nil
	})
	return uids, err
}

// uidMax is the largest UID. RFC 9051, section 2.3.1.1.
const uidMax = 1<<32 - 1

// RecordsOf returns the records of the mailbox with these UIDs, as far as there are any,
// ordered by UID.
func (s *Store) RecordsOf(ctx context.Context, mailbox string, uids state.UIDSet) ([]state.Record, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	var found []state.Record
	err := s.ask(ctx, state.Textf("read %s of mailbox %q", state.Count(uids.Len(), "record"), mailbox), mailbox, func(tx *sql.Tx, id int64) error {
		query, err := tx.PrepareContext(ctx, "SELECT "+recordColumns+" FROM record WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY record.uid")
		if err != nil {
			return err
		}
		defer query.Close()
		scanner := newRecordScanner(id, mailbox)
		for r := range spans(uids) {
			if err := scanner.between(ctx, query, r, func(rec state.Record) {
				if uids.Contains(rec.UID) {
					found = append(found, rec)
				}
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// gapMax is how many records are rather read in vain than left out by another query.
const gapMax = 16

// spans yields ranges that hold all of the UIDs, and few others.
func spans(uids state.UIDSet) iter.Seq[state.UIDRange] {
	return func(yield func(state.UIDRange) bool) {
		span := uids[0]
		for _, r := range uids[1:] {
			if r.First-span.Last <= gapMax {
				span.Last = r.Last
				continue
			}
			if !yield(span) {
				return
			}
			span = r
		}
		yield(span)
	}
}

// between reads the records of one range.
func (c *recordScanner) between(ctx context.Context, query *sql.Stmt, r state.UIDRange, each func(state.Record)) error {
	rows, err := query.QueryContext(ctx, c.id, int64(r.First), int64(r.Last))
	if err != nil {
		return err
	}
	defer rows.Close()
	last := state.UID(0)
	for rows.Next() {
		rec, err := c.scan(rows)
		if err != nil {
			return err
		}
		if rec.UID <= last || rec.UID < r.First || rec.UID > r.Last {
			return fmt.Errorf("the index leads to UID %d where one of %d:%d must follow: %w", rec.UID, max(last+1, r.First), r.Last, errDamaged)
		}
		last = rec.UID
		each(rec)
	}
	return rows.Err()
}

// ask runs a question about one mailbox, which must be known, in a read transaction.
func (s *Store) ask(ctx context.Context, doing state.Text, mailbox string, question func(tx *sql.Tx, id int64) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.fail(doing, err)
	}
	defer func() { _ = tx.Rollback() }() // it has changed nothing
	id, err := mailboxID(ctx, tx, mailbox)
	if errors.Is(err, errUnknown) {
		return nil
	}
	if err == nil {
		err = question(tx, id)
	}
	if err != nil {
		return s.fail(doing, err)
	}
	return nil
}
