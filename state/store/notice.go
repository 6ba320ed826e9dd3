package store

import (
	"context"
	"crypto/sha256"
	"database/sql"

	"mailmoor/state"
)

// remindSeconds is after how long a problem that persists is told again.
const remindSeconds = 24 * 60 * 60

// notice is what is remembered of a problem that was shown. Unix seconds.
type notice struct{ firstSeen, lastShown int64 }

// Notices returns those of the problems that are to be shown now (Unix
// seconds): the new ones, the changed ones, and those last shown at least a
// day ago, but for remarks, which are shown once. It remembers them as shown, and forgets what is not among the
// problems any more.
func (s *Store) Notices(ctx context.Context, now int64, problems []state.Problem) ([]state.Problem, error) {
	doing := state.Textf("remember %s", state.Count(len(problems), "problem"))
	var fresh []state.Problem
	err := s.write(ctx, pointNotices, doing, func(ctx context.Context, tx *sql.Tx) error {
		old, err := loadNotices(ctx, tx)
		if err != nil {
			return err
		}
		var current map[state.Digest]notice
		fresh, current = selectNotices(now, problems, old)
		return putNotices(ctx, tx, old, current)
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// selectNotices is the decision of Notices.
func selectNotices(now int64, problems []state.Problem, old map[state.Digest]notice) (
	fresh []state.Problem, current map[state.Digest]notice,
) {
	current = make(map[state.Digest]notice, len(problems))
	for _, p := range problems {
		id := fingerprint(p)
		if _, found := current[id]; found {
			continue // said twice in one run
		}
		n, found := old[id]
		if !found {
			n.firstSeen = now
		}
		// A time in the future is from a clock that has been set back since.
		age := now - n.lastShown
		if due := age >= remindSeconds || age < 0; !found || due && p.Weight != state.WeightRemark {
			n.lastShown = now
			fresh = append(fresh, p)
		}
		current[id] = n
	}
	return fresh, current
}

// fingerprint identifies a problem. Lengths keep the fields apart.
func fingerprint(p state.Problem) state.Digest {
	return sha256.Sum256(rowSum(nil).text(p.Mailbox).text(p.Subject).text(string(p.Text)))
}

func loadNotices(ctx context.Context, tx *sql.Tx) (map[state.Digest]notice, error) {
	rows, err := tx.QueryContext(ctx, "SELECT fingerprint, first_seen, last_shown FROM notice")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	notices := map[state.Digest]notice{}
	for rows.Next() {
		var id state.Digest
		var n notice
		var stored sql.RawBytes
		if err := rows.Scan(&stored, &n.firstSeen, &n.lastShown); err != nil {
			return nil, err
		}
		if err := readDigest(&id, stored); err != nil {
			return nil, err
		}
		notices[id] = n
	}
	return notices, rows.Err()
}

func putNotices(ctx context.Context, tx *sql.Tx, old, current map[state.Digest]notice) error {
	for id := range old {
		if _, found := current[id]; found {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM notice WHERE fingerprint = ?", id[:]); err != nil {
			return err
		}
	}
	for id, n := range current {
		if n == old[id] {
			continue
		}
		if _, err := tx.ExecContext(ctx,
			"INSERT OR REPLACE INTO notice (fingerprint, first_seen, last_shown) VALUES (?, ?, ?)",
			id[:], n.firstSeen, n.lastShown); err != nil {
			return err
		}
	}
	return nil
}
