package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailmoor/state"
)

// Records returns the records of the mailbox, ordered by UID, those without a
// UID first and by key. A mailbox that the store does not know has none.
func (s *Store) Records(ctx context.Context, mailbox string) ([]state.Record, error) {
	var records []state.Record
	err := s.ask(ctx, state.Textf("read the records of mailbox %q", mailbox), mailbox, func(tx *sql.Tx, id int64) error {
		count, err := recordCount(ctx, tx, id)
		if err == nil {
			records, err = scanRecords(ctx, tx, id, mailbox, count)
		}
		return err
	})
	return records, err
}

// recordCount counts the records of a mailbox by the index of keys. They are read by the
// index of UIDs: one that lost entries must not shorten the seen set unnoticed.
func recordCount(ctx context.Context, tx *sql.Tx, id int64) (count int, err error) {
	err = tx.QueryRowContext(ctx, countRecords, id, id).Scan(&count)
	return count, err
}

const countRecords = `SELECT
	(SELECT count(*) FROM record INDEXED BY record_by_key WHERE mailbox = ? AND key IS NOT NULL) +
	(SELECT count(*) FROM record INDEXED BY record_unpaired WHERE mailbox = ? AND state IN (3, 4, 6) AND state <> 1)`

const recordColumns = `coalesce(uid, 0), coalesce(key, ''), state, flags, inode, size, mtime,
	digest, plain, header, content_size, wire_size, remote_size, remote_date, remote_header,
	tries, next_at, reason, since, local_flags, keywords, local_keywords, record.sum`

const selectRecords = "SELECT " + recordColumns + " FROM record WHERE mailbox = ? ORDER BY record.uid, record.key"

// Waiting returns the records of all mailboxes that are not paired, ordered by
// mailbox and then as Records does.
func (s *Store) Waiting(ctx context.Context) ([]state.Record, error) {
	scanner := newRecordScanner(0, "")
	scanner.dest = append([]any{&scanner.id, &scanner.mailbox}, scanner.dest...)
	return read(ctx, s, "read the records that wait", scanner.scan,
		"SELECT mailbox, name, "+recordColumns+` FROM record LEFT JOIN mailbox AS m ON m.id = mailbox
		WHERE state <> 1 ORDER BY name, record.uid, record.key`)
}

func scanRecords(ctx context.Context, tx *sql.Tx, id int64, mailbox string, count int) ([]state.Record, error) {
	rows, err := tx.QueryContext(ctx, selectRecords, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := make([]state.Record, 0, count)
	scanner := newRecordScanner(id, mailbox)
	for rows.Next() {
		r, err := scanner.scan(rows)
		if err != nil {
			return nil, err
		}
		if n := len(records); n > 0 && !ascending(records[n-1], r) {
			return nil, fmt.Errorf("the index shows UID %d, key %q out of order: %w", r.UID, r.Key, errDamaged)
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(records) != count {
		return nil, fmt.Errorf("the indexes show different numbers of records, %d and %d: %w", count, len(records), errDamaged)
	}
	return records, nil
}

// ascending reports whether the order of Records lets b follow a. An index
// entry that leads to a wrong row shows that row twice.
func ascending(a, b state.Record) bool {
	return a.UID < b.UID || a.UID == 0 && b.UID == 0 && a.Key < b.Key
}

// recordScanner reads rows of recordColumns. It is reused for all rows of a
// mailbox, since allocations make up most of the time.
type recordScanner struct {
	id      int64
	mailbox string
	r       state.Record
	// Numbers are scanned as int64 because database/sql converts every other
	// type by way of a string.
	uid, state, flags, localFlags, inode, tries, sum int64
	digest, plain, header, remoteHeader              sql.RawBytes
	dest                                             []any
	buffer                                           rowSum
}

func newRecordScanner(id int64, mailbox string) *recordScanner {
	c := &recordScanner{id: id, mailbox: mailbox}
	r := &c.r
	c.dest = []any{
		&c.uid, (*string)(&r.Key), &c.state, &c.flags, &c.inode, &r.Stat.Size, &r.Stat.Mtime,
		&c.digest, &c.plain, &c.header, &r.Content.Size, &r.Content.WireSize,
		&r.Remote.Size, &r.Remote.Date, &c.remoteHeader,
		&c.tries, &r.Retry.NextAt, &r.Retry.Reason, &r.Since, &c.localFlags, (*string)(&r.Keywords), (*string)(&r.LocalKeywords), &c.sum,
	}
	return c
}

func (c *recordScanner) scan(rows *sql.Rows) (state.Record, error) {
	if err := rows.Scan(c.dest...); err != nil {
		return state.Record{}, unreadable(err)
	}
	r := &c.r
	r.Mailbox = c.mailbox
	r.UID, r.State, r.Flags = state.UID(c.uid), state.RecordState(c.state), state.Flags(c.flags)
	r.LocalFlags = state.Flags(c.localFlags)
	r.Stat.Inode, r.Retry.Count = uint64(c.inode), int(c.tries)
	err := errors.Join(
		readDigest(&r.Content.Digest, c.digest),
		readDigest(&r.Content.Plain, c.plain),
		readDigest(&r.Content.Header, c.header),
		readDigest(&r.Remote.Header, c.remoteHeader),
	)
	if err == nil {
		err = r.Check()
	}
	if err == nil {
		c.buffer = appendRecord(c.buffer[:0], c.id, *r)
		err = c.buffer.match(c.sum)
	}
	if err != nil {
		return state.Record{}, badRow(fmt.Sprintf("UID %d, key %q", r.UID, r.Key), err)
	}
	return *r, nil
}

// appendRecord appends the values that the checksum of a record covers. They
// include the name of its mailbox, which another row or an index supplies.
func appendRecord(s rowSum, mailbox int64, r state.Record) rowSum {
	s = s.num(mailbox, int64(r.UID), int64(r.State), int64(r.Flags)).text(r.Mailbox).text(string(r.Key)).
		num(int64(r.Stat.Inode), r.Stat.Size, r.Stat.Mtime).content(r.Content).
		num(r.Remote.Size, r.Remote.Date)
	s = append(s, r.Remote.Header[:]...)
	return s.num(int64(r.Retry.Count), r.Retry.NextAt).text(string(r.Retry.Reason)).added(r.Since).added(int64(r.LocalFlags)).
		addedText(r.Keywords, r.LocalKeywords)
}

// Count says how many records of a mailbox are in which state.
type Count struct {
	Mailbox                                  string
	Paired, Stuck, Expunging, Lost, Excluded int
}

// Counts returns the counts of every mailbox, ordered by name.
func (s *Store) Counts(ctx context.Context) ([]Count, error) {
	scan := func(rows *sql.Rows) (Count, error) {
		var c Count
		var all int
		err := rows.Scan(&c.Mailbox, &all, &c.Stuck, &c.Expunging, &c.Lost, &c.Excluded)
		c.Paired = all - c.Stuck - c.Expunging - c.Lost - c.Excluded
		return c, err
	}
	return read(ctx, s, "count the records", scan, `
		SELECT name,
			(SELECT count(*) FROM record WHERE mailbox = m.id),
			(SELECT count(*) FROM record WHERE mailbox = m.id AND state IN (2, 3) AND state <> 1),
			(SELECT count(*) FROM record WHERE mailbox = m.id AND state = 4 AND state <> 1),
			(SELECT count(*) FROM record WHERE mailbox = m.id AND state = 5 AND state <> 1),
			(SELECT count(*) FROM record WHERE mailbox = m.id AND state = 6 AND state <> 1)
		FROM mailbox AS m ORDER BY name`)
}
