package store

import (
	"context"
	"database/sql"
	"fmt"

	"mailmoor/state"
)

// storedHold is a hold with the internal id of its mailbox.
type storedHold struct {
	state.Hold
	mailbox int64
}

// selectHolds yields one row for each range of each hold, in order.
const selectHolds = `
	SELECT h.id, h.mailbox, name, missing, whole, reason, decision, created, lost, through, h.sum,
		coalesce(first, 0), coalesce(last, 0)
	FROM hold AS h
		LEFT JOIN mailbox AS m ON m.id = h.mailbox
		LEFT JOIN hold_range AS r ON r.hold = h.id
	ORDER BY h.id, first`

// loadHolds reads all holds within a transaction.
func loadHolds(ctx context.Context, tx *sql.Tx) ([]storedHold, error) {
	rows, err := tx.QueryContext(ctx, selectHolds)
	if err != nil {
		return nil, err
	}
	return scanHolds(rows)
}

// scanHolds reads the rows of selectHolds and checks them.
func scanHolds(rows *sql.Rows) ([]storedHold, error) {
	defer rows.Close()
	var holds []storedHold
	var sums []int64
	for rows.Next() {
		var h storedHold
		var sum int64
		var r state.UIDRange
		if err := rows.Scan(&h.ID, &h.mailbox, &h.Mailbox, &h.Missing, &h.Whole, &h.Reason, &h.Decision,
			&h.Created, &h.Lost, &h.Through, &sum, &r.First, &r.Last); err != nil {
			return nil, unreadable(err)
		}
		if n := len(holds); n == 0 || holds[n-1].ID != h.ID {
			holds, sums = append(holds, h), append(sums, sum)
		}
		if last := &holds[len(holds)-1]; r.First != 0 {
			last.UIDs = append(last.UIDs, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, h := range holds {
		err := checkHold(h.Hold)
		if err == nil {
			err = sumHold(h).match(sums[i])
		}
		if err != nil {
			return nil, badRow(fmt.Sprint("hold ", h.ID), err)
		}
	}
	return holds, nil
}

func sumHold(h storedHold) rowSum {
	s := rowSum(nil).num(h.ID, h.mailbox, int64(h.Missing), boolValue(h.Whole)).text(h.Mailbox).text(string(h.Reason)).
		num(int64(h.Decision), h.Created)
	for _, r := range h.UIDs {
		s = s.num(int64(r.First), int64(r.Last))
	}
	// Three numbers: two would look like one more range.
	return s.added(0, int64(h.Lost), h.Through)
}

func insertHold(ctx context.Context, tx *sql.Tx, h storedHold) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO hold (id, mailbox, missing, whole, reason, decision, created, lost, through, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		h.ID, h.mailbox, int64(h.Missing), boolValue(h.Whole), h.Reason, int64(h.Decision), h.Created,
		h.Lost, h.Through, sumHold(h).value()); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO hold_range (hold, first, last) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range h.UIDs {
		if _, err := insert.ExecContext(ctx, h.ID, int64(r.First), int64(r.Last)); err != nil {
			return err
		}
	}
	return nil
}

// updateDecision writes a new decision of a stored hold.
func updateDecision(ctx context.Context, tx *sql.Tx, h storedHold) error {
	_, err := tx.ExecContext(ctx, "UPDATE hold SET decision = ?, sum = ? WHERE id = ?",
		int64(h.Decision), sumHold(h).value(), h.ID)
	return err
}
