package store

import (
	"context"
	"database/sql"

	"mailmoor/state"
)

// StrayNotes returns what was noted of files that are not understood, ordered by path.
func (s *Store) StrayNotes(ctx context.Context) ([]state.StrayNote, error) {
	return read(ctx, s, "read notes about files", scanStray, "SELECT path, mark, cleared, sum FROM stray ORDER BY path")
}

func scanStray(rows *sql.Rows) (state.StrayNote, error) {
	var n state.StrayNote
	var sum int64
	if err := rows.Scan(&n.Path, &n.Mark, &n.Cleared, &sum); err != nil {
		return n, unreadable(err)
	}
	err := n.Check()
	if err == nil {
		err = sumStray(n).match(sum)
	}
	if err != nil {
		err = badRow("note about file "+n.Path, err)
	}
	return n, err
}

func sumStray(n state.StrayNote) rowSum {
	cleared := int64(0)
	if n.Cleared {
		cleared = 1
	}
	return rowSum(nil).text(n.Path).text(n.Mark).num(cleared)
}

// PutStrayNotes replaces all notes by these.
func (s *Store) PutStrayNotes(ctx context.Context, notes []state.StrayNote) error {
	return s.write(ctx, pointStrays, state.Textf("note %s", state.Count(len(notes), "file")), func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM stray"); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO stray (path, mark, cleared, sum) VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, n := range notes {
			if err := n.Check(); err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, n.Path, n.Mark, n.Cleared, sumStray(n).value()); err != nil {
				return err
			}
		}
		return nil
	})
}
