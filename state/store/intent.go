package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

// Intend notes intents, all in one transaction, and fills in their IDs. Without
// an error they survive a power failure.
func (s *Store) Intend(ctx context.Context, intents []state.Intent) error {
	if len(intents) == 0 {
		return nil
	}
	doing := state.Textf("note %s", state.Count(len(intents), "intent"))
	for _, i := range intents {
		if err := i.Check(); err != nil {
			return s.fail(doing, err)
		}
		if i.ID != 0 {
			return s.fail(doing, fmt.Errorf("intent for key %q has been noted before, as %d", i.Key, i.ID))
		}
	}
	given := make([]int64, len(intents))
	err := s.change(ctx, pointIntended, doing, func(ctx context.Context, tx *sql.Tx) error {
		return insertIntents(ctx, tx, intents, given)
	})
	if err != nil {
		return err
	}
	for n := range intents {
		intents[n].ID = given[n]
	}
	return nil
}

func insertIntents(ctx context.Context, tx *sql.Tx, intents []state.Intent, given []int64) error {
	id, err := lastID(ctx, tx, "intent")
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `
		INSERT INTO intent (id, kind, mailbox, uidvalidity, uid, uidnext, key, flags, date,
			digest, plain, header, content_size, wire_size, replaces, created, keywords, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	ids := mailboxIDs{}
	for n, i := range intents {
		mailbox, err := ids.of(ctx, tx, i.Mailbox)
		if err != nil {
			return err
		}
		id++
		i.ID, given[n] = id, id
		if _, err := insert.ExecContext(ctx, id, int64(i.Kind), mailbox, int64(i.UIDValidity),
			uidValue(i.UID), uidValue(i.UIDNext), string(i.Key), int64(i.Flags), i.Date,
			digestValue(i.Content.Digest), digestValue(i.Content.Plain), digestValue(i.Content.Header), i.Content.Size, i.Content.WireSize,
			uidValue(i.Replaces), i.Created, string(i.Keywords), sumIntent(mailbox, i).value()); err != nil {
			return fmt.Errorf("note the intent for key %q in mailbox %q: %w", i.Key, i.Mailbox, err)
		}
	}
	return nil
}

// lastID returns the highest id that a row of the table ever had, which
// AUTOINCREMENT remembers. Ids are chosen by us because checksums cover them.
func lastID(ctx context.Context, tx *sql.Tx, table string) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx,
		"SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", table).Scan(&id)
	return id, err
}

// selectIntents and the like yield rows of scanIntent.
const (
	intentColumns = `i.id, kind, mailbox, name, i.uidvalidity, coalesce(uid, 0), coalesce(i.uidnext, 0), key, flags,
		date, digest, plain, header, content_size, wire_size, coalesce(replaces, 0), created, keywords, `
	selectIntents = "SELECT " + intentColumns + "i.sum FROM intent AS i LEFT JOIN mailbox AS m ON m.id = i.mailbox"
)

// Intents returns the open intents in the order in which they were noted.
func (s *Store) Intents(ctx context.Context) ([]state.Intent, error) {
	scan := func(rows *sql.Rows) (state.Intent, error) {
		i, err := scanIntent(rows)
		return i.Intent, err
	}
	return read(ctx, s, "read the intents", scan, selectIntents+" ORDER BY i.id")
}

// storedIntent is an intent with the internal id of its mailbox.
type storedIntent struct {
	state.Intent
	mailbox int64
}

// scanIntent reads a row of intentColumns, of what follows them, and of the sum, which
// covers all of it.
func scanIntent(rows *sql.Rows, more ...*int64) (storedIntent, error) {
	var i storedIntent
	var sum int64
	var digest, plain, header sql.RawBytes
	dest := []any{
		&i.ID, &i.Kind, &i.mailbox, &i.Mailbox, &i.UIDValidity, &i.UID, &i.UIDNext, &i.Key, &i.Flags,
		&i.Date, &digest, &plain, &header, &i.Content.Size, &i.Content.WireSize, &i.Replaces, &i.Created, &i.Keywords,
	}
	for _, m := range more {
		dest = append(dest, m)
	}
	if err := rows.Scan(append(dest, &sum)...); err != nil {
		return i, unreadable(err)
	}
	err := errors.Join(readDigest(&i.Content.Digest, digest), readDigest(&i.Content.Plain, plain), readDigest(&i.Content.Header, header))
	if err == nil {
		err = i.Check()
	}
	if err == nil {
		s := sumIntent(i.mailbox, i.Intent)
		for _, m := range more {
			s = s.num(*m)
		}
		err = s.match(sum)
	}
	if err != nil {
		err = badRow(fmt.Sprint("intent ", i.ID), err)
	}
	return i, err
}

func sumIntent(mailbox int64, i state.Intent) rowSum {
	return rowSum(nil).num(i.ID, int64(i.Kind), mailbox, int64(i.UIDValidity), int64(i.UID), int64(i.UIDNext)).
		text(i.Mailbox).text(string(i.Key)).num(int64(i.Flags), i.Date).content(i.Content).
		num(int64(i.Replaces), i.Created).addedText(i.Keywords)
}

// endIntents removes intents. Those that are not there have ended already.
func endIntents(ctx context.Context, tx *sql.Tx, ids []int64) error {
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, "DELETE FROM intent WHERE id = ?", id); err != nil {
			return fmt.Errorf("end intent %d: %w", id, err)
		}
	}
	return nil
}
