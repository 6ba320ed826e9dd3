package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

// How long it is remembered what is over, in seconds.
const (
	givenUpSeconds   = 7 * 24 * 60 * 60
	tombstoneSeconds = 30 * 24 * 60 * 60
)

// GivenUp returns the uploads that were given up in the last seven days, in the
// order in which they were noted.
func (s *Store) GivenUp(ctx context.Context) ([]state.Intent, error) {
	return s.givenUpSince(ctx, s.o.Now().Unix()-givenUpSeconds)
}

func (s *Store) givenUpSince(ctx context.Context, since int64) ([]state.Intent, error) {
	scan := func(rows *sql.Rows) (state.Intent, error) {
		var ended int64
		i, err := scanIntent(rows, &ended)
		return i.Intent, err
	}
	return read(ctx, s, "read what was given up", scan, selectGivenUp, since)
}

const selectGivenUp = "SELECT " + intentColumns + `ended, i.sum
	FROM given_up AS i LEFT JOIN mailbox AS m ON m.id = i.mailbox WHERE ended >= ? ORDER BY i.id`

// giveUp ends intents and remembers what they announced. Those that are not there
// have ended already.
func giveUp(ctx context.Context, tx *sql.Tx, ids []int64, now int64) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM given_up WHERE ended < ?", now-givenUpSeconds); err != nil {
		return fmt.Errorf("forget what was given up long ago: %w", err)
	}
	for _, id := range ids {
		rows, err := tx.QueryContext(ctx, selectIntents+" WHERE i.id = ?", id)
		if err != nil {
			return err
		}
		found, err := collect(rows, func(rows *sql.Rows) (storedIntent, error) { return scanIntent(rows) })
		if err != nil {
			return err
		}
		for _, i := range found {
			if err := insertGivenUp(ctx, tx, i, now); err != nil {
				return fmt.Errorf("remember intent %d: %w", id, err)
			}
		}
	}
	return endIntents(ctx, tx, ids)
}

func insertGivenUp(ctx context.Context, tx *sql.Tx, i storedIntent, now int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO given_up (id, kind, mailbox, uidvalidity, uid, uidnext, key, flags, date,
			digest, plain, header, content_size, wire_size, replaces, created, keywords, ended, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		i.ID, int64(i.Kind), i.mailbox, int64(i.UIDValidity), uidValue(i.UID), uidValue(i.UIDNext), string(i.Key),
		int64(i.Flags), i.Date, digestValue(i.Content.Digest), digestValue(i.Content.Plain), digestValue(i.Content.Header),
		i.Content.Size, i.Content.WireSize, uidValue(i.Replaces), i.Created, string(i.Keywords), now, sumIntent(i.mailbox, i.Intent).num(now).value())
	return err
}

// Tombstones returns the messages removed in the last thirty days, ordered by
// mailbox and UID.
func (s *Store) Tombstones(ctx context.Context) ([]state.Tombstone, error) {
	return s.tombstonesSince(ctx, s.o.Now().Unix()-tombstoneSeconds)
}

func (s *Store) tombstonesSince(ctx context.Context, since int64) ([]state.Tombstone, error) {
	return read(ctx, s, "read what was removed", scanTombstone, selectTombstones, since)
}

const selectTombstones = `
	SELECT mailbox, name, t.uidvalidity, uid, remote_size, remote_date, remote_header, tries, removed, t.sum
	FROM tombstone AS t LEFT JOIN mailbox AS m ON m.id = t.mailbox
	WHERE removed >= ? ORDER BY name, uid, t.uidvalidity`

func scanTombstone(rows *sql.Rows) (state.Tombstone, error) {
	var b state.Tombstone
	var mailbox, sum int64
	var header sql.RawBytes
	if err := rows.Scan(&mailbox, &b.Mailbox, &b.UIDValidity, &b.UID, &b.Remote.Size, &b.Remote.Date, &header,
		&b.Tries, &b.Removed, &sum); err != nil {
		return b, unreadable(err)
	}
	err := readDigest(&b.Remote.Header, header)
	if err == nil {
		err = checkTombstone(b)
	}
	if err == nil {
		err = sumTombstone(mailbox, b).match(sum)
	}
	if err != nil {
		err = badRow(fmt.Sprintf("removed UID %d", b.UID), err)
	}
	return b, err
}

func sumTombstone(mailbox int64, b state.Tombstone) rowSum {
	s := rowSum(nil).num(mailbox, int64(b.UIDValidity), int64(b.UID)).text(b.Mailbox).num(b.Remote.Size, b.Remote.Date)
	s = append(s, b.Remote.Header[:]...)
	return s.num(int64(b.Tries), b.Removed)
}

// bury remembers removed messages. One that was removed before is remembered anew.
func bury(ctx context.Context, tx *sql.Tx, ids mailboxIDs, buried []state.Tombstone, now int64) error {
	if len(buried) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM tombstone WHERE removed < ?", now-tombstoneSeconds); err != nil {
		return fmt.Errorf("forget what was removed long ago: %w", err)
	}
	insert, err := tx.PrepareContext(ctx, `
		INSERT OR REPLACE INTO tombstone (mailbox, uidvalidity, uid, remote_size, remote_date, remote_header,
			tries, removed, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, b := range buried {
		mailbox, err := ids.of(ctx, tx, b.Mailbox)
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, mailbox, int64(b.UIDValidity), int64(b.UID), b.Remote.Size, b.Remote.Date,
			digestValue(b.Remote.Header), b.Tries, b.Removed, sumTombstone(mailbox, b).value()); err != nil {
			return fmt.Errorf("remember removed UID %d of mailbox %q: %w", b.UID, b.Mailbox, err)
		}
	}
	return nil
}

// checkTombstone reports a message that could never be met again.
func checkTombstone(b state.Tombstone) error {
	if b.Mailbox == "" || b.UIDValidity == 0 || b.UID == 0 {
		return errors.New("a removed message without mailbox, generation or UID")
	}
	return nil
}

// unbury forgets removals that have been confirmed.
func unbury(ctx context.Context, tx *sql.Tx, ids mailboxIDs, confirmed []state.Tombstone) error {
	for _, b := range confirmed {
		mailbox, err := ids.of(ctx, tx, b.Mailbox)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM tombstone WHERE mailbox = ? AND uidvalidity = ? AND uid = ?",
			mailbox, int64(b.UIDValidity), int64(b.UID)); err != nil {
			return fmt.Errorf("forget removed UID %d of mailbox %q: %w", b.UID, b.Mailbox, err)
		}
	}
	return nil
}

// recall forgets what was given up and has come after all.
func recall(ctx context.Context, tx *sql.Tx, ids []int64) error {
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, "DELETE FROM given_up WHERE id = ?", id); err != nil {
			return fmt.Errorf("forget intent %d: %w", id, err)
		}
	}
	return nil
}
