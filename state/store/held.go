package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

// HeldFiles returns the files that were put into the hold area at since (Unix
// seconds) or later, the oldest first.
func (s *Store) HeldFiles(ctx context.Context, since int64) ([]state.Held, error) {
	return read(ctx, s, "read the list of held files", scanHeld, selectHeld+"removed, held.path", since)
}

const selectHeld = `
	SELECT path, mailbox, coalesce(key, ''), coalesce(uid, 0), flags, digest, plain, header,
		content_size, wire_size, date, removed, reason, keywords, sum
	FROM held WHERE removed >= ? ORDER BY `

// ForgetHeld removes the files that were removed before the given time, in Unix
// seconds, from the list: they have left the hold area.
func (s *Store) ForgetHeld(ctx context.Context, before int64) error {
	return s.write(ctx, pointHeld, "forget expired files", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM held WHERE removed < ?", before)
		return err
	})
}

// putHeld adds files to the list. A path that is there already is the same
// file, told again.
func putHeld(ctx context.Context, tx *sql.Tx, held []state.Held) error {
	for _, h := range held {
		if _, err := tx.ExecContext(ctx, `
			INSERT OR REPLACE INTO held (path, mailbox, key, uid, flags, digest, plain, header,
				content_size, wire_size, date, removed, reason, keywords, sum)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			h.Path, h.Mailbox, textValue(string(h.Key)), uidValue(h.UID), int64(h.Flags),
			digestValue(h.Content.Digest), digestValue(h.Content.Plain), digestValue(h.Content.Header), h.Content.Size, h.Content.WireSize,
			h.Date, h.Removed, h.Reason, string(h.Keywords), sumHeld(h).value()); err != nil {
			return fmt.Errorf("list held file %s: %w", h.Path, err)
		}
	}
	return nil
}

func scanHeld(rows *sql.Rows) (state.Held, error) {
	var h state.Held
	var sum int64
	var digest, plain, header sql.RawBytes
	if err := rows.Scan(&h.Path, &h.Mailbox, &h.Key, &h.UID, &h.Flags, &digest, &plain, &header,
		&h.Content.Size, &h.Content.WireSize, &h.Date, &h.Removed, &h.Reason, &h.Keywords, &sum); err != nil {
		return h, unreadable(err)
	}
	err := errors.Join(readDigest(&h.Content.Digest, digest), readDigest(&h.Content.Plain, plain), readDigest(&h.Content.Header, header))
	if err == nil {
		err = checkHeld(h)
	}
	if err == nil {
		err = sumHeld(h).match(sum)
	}
	if err != nil {
		err = badRow(fmt.Sprintf("held file %q", h.Path), err)
	}
	return h, err
}

func sumHeld(h state.Held) rowSum {
	return rowSum(nil).text(h.Path).text(h.Mailbox).text(string(h.Key)).
		num(int64(h.UID), int64(h.Flags)).content(h.Content).num(h.Date, h.Removed).text(string(h.Reason)).
		addedText(h.Keywords)
}

// checkHeld reports an entry that undo could not act upon.
func checkHeld(h state.Held) error {
	switch {
	case h.Path == "":
		return fmt.Errorf("held file of key %q in mailbox %q has no path", h.Key, h.Mailbox)
	case h.Flags&^state.AllFlags != 0:
		return fmt.Errorf("held file %s: flags %#x do not exist", h.Path, uint8(h.Flags))
	}
	return h.Keywords.Check()
}
