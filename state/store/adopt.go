package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"mailmoor/state"
)

// Adopt finds the state that an account goes on with when the user accepts its root,
// whatever marker is there: the one that was at home in this root, else the one of this
// name. Without one it returns a fresh id. others are the names of the other accounts
// of the configuration, whose states it leaves alone. A root with the marker of one of
// them is refused. The caller holds Alone.
func (d *Directory) Adopt(want Account, markerID string, others []string) (Account, error) {
	accounts, err := d.Accounts()
	if err != nil {
		return Account{}, err
	}
	best := 0
	for _, a := range accounts {
		if a.Name != want.Name && slices.Contains(others, a.Name) {
			if a.ID != markerID {
				continue
			}
			return Account{}, &state.Error{
				Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: state.Textf("accept the root %s", want.Root),
				Err:  fmt.Errorf("it belongs to account %q, which is configured, too", a.Name),
				Hint: "give each account a directory of its own, and check that the right disk is mounted",
			}
		}
		fit := 0
		if sameDirectory(a.Root, want.Root) {
			fit += 4
		}
		if a.Name == want.Name {
			fit += 2
		}
		if fit > 0 && a.ID == markerID {
			fit++
		}
		if fit > best {
			best, want.ID = fit, a.ID
		}
	}
	if best == 0 {
		want.ID = newID()
	}
	return want, nil
}

// Forget drops everything that the two sides have agreed on: the mailboxes with their
// records, intents and holds. The list of the hold area, the notices and the last run
// stay. It returns how many mailboxes and paired messages there were.
func (s *Store) Forget(ctx context.Context) (mailboxes, messages int, err error) {
	err = s.write(ctx, pointForgotten, "forget all mailboxes", func(ctx context.Context, tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM mailbox), (SELECT count(*) FROM record WHERE state = 1)")
		if err := row.Scan(&mailboxes, &messages); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM mailbox"); err != nil {
			return err
		}
		// Without a generation nothing is compared with a marker that is new, too.
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", metaGeneration)
		return err
	})
	return mailboxes, messages, err
}
