package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

const mailboxColumns = "id, name, folder, marker, uidvalidity, uidnext, modseq, messages, " +
	"new_inode, new_mtime, new_ctime, cur_inode, cur_mtime, cur_ctime, statted, sampled, doubt, tagged, sum"

// putMailbox leaves the checksum to a second statement, because it covers the
// id: the records would be lost from sight with it.
const putMailbox = `
	INSERT INTO mailbox (name, folder, marker, uidvalidity, uidnext, modseq, messages,
		new_inode, new_mtime, new_ctime, cur_inode, cur_mtime, cur_ctime, statted, sampled, doubt, tagged, sum)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
	ON CONFLICT (name) DO UPDATE SET folder = excluded.folder, marker = excluded.marker,
		uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext,
		modseq = excluded.modseq, messages = excluded.messages,
		new_inode = excluded.new_inode, new_mtime = excluded.new_mtime,
		new_ctime = excluded.new_ctime, cur_inode = excluded.cur_inode,
		cur_mtime = excluded.cur_mtime, cur_ctime = excluded.cur_ctime,
		statted = excluded.statted, sampled = excluded.sampled, doubt = excluded.doubt,
		tagged = excluded.tagged
	RETURNING id`

// Mailboxes returns all known mailboxes, ordered by name.
func (s *Store) Mailboxes(ctx context.Context) ([]state.Mailbox, error) {
	scan := func(rows *sql.Rows) (state.Mailbox, error) {
		_, m, err := scanMailbox(rows.Scan)
		if s.unsampled {
			m.Sampled = 0
		}
		return doubted(m, s.overlay), err
	}
	return read(ctx, s, "read the mailboxes", scan, "SELECT "+mailboxColumns+" FROM mailbox ORDER BY name")
}

// PutMailbox inserts or replaces what is known of the mailbox.
func (s *Store) PutMailbox(ctx context.Context, m state.Mailbox) error {
	doing := state.Textf("write mailbox %q", m.Name)
	if err := m.Check(); err != nil {
		return s.fail(doing, err)
	}
	return s.change(ctx, pointMailbox, doing, func(ctx context.Context, tx *sql.Tx) error {
		return upsertMailbox(ctx, tx, m)
	})
}

func upsertMailbox(ctx context.Context, tx *sql.Tx, m state.Mailbox) error {
	var id int64
	err := tx.QueryRowContext(ctx, putMailbox,
		m.Name, m.Folder, m.Marker, m.Cursor.UIDValidity, m.Cursor.UIDNext, int64(m.Cursor.ModSeq),
		m.Cursor.Messages, int64(m.Stamp.New.Inode), m.Stamp.New.Mtime, m.Stamp.New.Ctime,
		int64(m.Stamp.Cur.Inode), m.Stamp.Cur.Mtime, m.Stamp.Cur.Ctime,
		m.Statted, m.Sampled, int64(m.Doubt), boolValue(m.Tagged)).Scan(&id)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE mailbox SET sum = ? WHERE id = ?", sumMailbox(id, m).value(), id)
	}
	if err != nil {
		return fmt.Errorf("put mailbox %q: %w", m.Name, err)
	}
	return nil
}

// ForgetMailbox removes the mailbox with its records, intents and holds, and
// the memory of what is over there. The list of files in the hold area keeps what came from it.
func (s *Store) ForgetMailbox(ctx context.Context, name string) error {
	doing := state.Textf("forget mailbox %q", name)
	return s.change(ctx, pointForgotten, doing, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM mailbox WHERE name = ?", name)
		return err
	})
}

func sumMailbox(id int64, m state.Mailbox) rowSum {
	c, stamp := m.Cursor, m.Stamp
	return rowSum(nil).num(id).text(m.Name).text(m.Folder).text(m.Marker).
		num(int64(c.UIDValidity), int64(c.UIDNext), int64(c.ModSeq), int64(c.Messages)).
		num(int64(stamp.New.Inode), stamp.New.Mtime, stamp.New.Ctime).
		num(int64(stamp.Cur.Inode), stamp.Cur.Mtime, stamp.Cur.Ctime).
		num(m.Statted).added(m.Sampled, int64(m.Doubt)).added(boolValue(m.Tagged))
}

// scanMailbox reads a row of mailboxColumns and checks it.
func scanMailbox(scan func(...any) error) (id int64, m state.Mailbox, err error) {
	var modSeq, newInode, curInode, sum int64
	if err := scan(&id, &m.Name, &m.Folder, &m.Marker, &m.Cursor.UIDValidity, &m.Cursor.UIDNext, &modSeq,
		&m.Cursor.Messages, &newInode, &m.Stamp.New.Mtime, &m.Stamp.New.Ctime,
		&curInode, &m.Stamp.Cur.Mtime, &m.Stamp.Cur.Ctime, &m.Statted, &m.Sampled, &m.Doubt, &m.Tagged, &sum); err != nil {
		return 0, m, unreadable(err)
	}
	m.Cursor.ModSeq = state.ModSeq(modSeq)
	m.Stamp.New.Inode, m.Stamp.Cur.Inode = uint64(newInode), uint64(curInode)
	if err = m.Check(); err == nil {
		err = sumMailbox(id, m).match(sum)
	}
	if err != nil {
		err = badRow(fmt.Sprintf("mailbox %q", m.Name), err)
	}
	return id, m, err
}

// mailboxID returns the internal id of the mailbox, and errUnknown when there
// is no such mailbox. A miss is believed only after a look at all rows: it may
// be the index that is damaged.
func mailboxID(ctx context.Context, db queryer, name string) (int64, error) {
	row := db.QueryRowContext(ctx, "SELECT "+mailboxColumns+" FROM mailbox WHERE name = ?", name)
	id, _, err := scanMailbox(row.Scan)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	rows, err := db.QueryContext(ctx, "SELECT "+mailboxColumns+" FROM mailbox NOT INDEXED")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if _, m, err := scanMailbox(rows.Scan); err != nil {
			return 0, err
		} else if m.Name == name {
			return 0, fmt.Errorf("the index does not show mailbox %q: %w", name, errDamaged)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("mailbox %q: %w", name, errUnknown)
}

// mailboxIDs looks internal ids up within one transaction.
type mailboxIDs map[string]int64

func (ids mailboxIDs) of(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	if id, found := ids[name]; found {
		return id, nil
	}
	id, err := mailboxID(ctx, tx, name)
	if err == nil {
		ids[name] = id
	}
	return id, err
}
