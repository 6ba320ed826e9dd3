package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Run is what is kept of the last run, for `status`.
type Run struct {
	Started, Ended int64 // Unix seconds
	Exit           int   // the exit code of this account
	// Summary is JSON that the store does not look into.
	Summary json.RawMessage
}

// summaryBytesMax bounds Run.Summary.
const summaryBytesMax = 1 << 20

// LastRun returns the last run, and false when there was none.
func (s *Store) LastRun(ctx context.Context) (Run, bool, error) {
	scan := func(rows *sql.Rows) (Run, error) {
		var r Run
		var summary string
		err := rows.Scan(&r.Started, &r.Ended, &r.Exit, &summary)
		r.Summary = json.RawMessage(summary)
		return r, err
	}
	runs, err := read(ctx, s, "read the last run", scan, "SELECT started, ended, exit, summary FROM run")
	if err != nil || len(runs) == 0 {
		return Run{}, false, err
	}
	return runs[0], true, nil
}

// PutLastRun replaces what is kept of the last run. A nil summary is null.
func (s *Store) PutLastRun(ctx context.Context, r Run) error {
	const doing = "write the last run"
	summary := string(r.Summary)
	if r.Summary == nil {
		summary = "null"
	}
	if len(summary) > summaryBytesMax {
		return s.fail(doing, fmt.Errorf("its summary has %d bytes, at most %d are kept", len(summary), summaryBytesMax))
	}
	return s.write(ctx, pointRun, doing, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			"INSERT OR REPLACE INTO run (id, started, ended, exit, summary) VALUES (1, ?, ?, ?, ?)",
			r.Started, r.Ended, r.Exit, summary)
		return err
	})
}
