package scene

import (
	"context"
	"database/sql"
	_ "embed" // the script
	"errors"
	"path/filepath"

	"mailmoor/state/store"
)

// previousScript makes the schema before the newest one of a database.
//
//go:embed previous.sql
var previousScript string

// upgrades are scenes that begin with a database of the schema before.
func upgrades() []Scene {
	return []Scene{{
		Name: "schema-upgrade",
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "a", "b", "anon1", "twin", "twin")
			s.deliver("Drafts", "draft1")
			begun(s)
		},
		Happen: func(s *Stage) {
			s.inStore(unsampled)
			s.downgrade()
			s.deliver("INBOX", "in")
			s.put("INBOX", "S", "out")
			s.flag("INBOX", "a", "F")
			s.drop("INBOX", "b")
			s.edit("Drafts", "draft1", "draft2")
		},
		Check: func(s *Stage) {
			s.Expect(Want{
				Both: []string{
					"INBOX/still:", "INBOX/a:F", "INBOX/anon1:", "INBOX/twin:", "INBOX/twin:", "INBOX/in:", "INBOX/out:S",
					"Trash/b:", "Archive/filed:", "Drafts/draft2:",
				},
				Held: []string{"draft1"},
			})
			if copied, _ := filepath.Glob(filepath.Join(s.States, "*", "state-v1.db")); len(copied) != 1 {
				s.Errorf("the copies of the old database are %q, want one", copied)
			}
		},
	}}
}

// unsampled forgets what the schema before had no place for.
func unsampled(ctx context.Context, db *store.Store) error {
	mailboxes, err := db.Mailboxes(ctx)
	for _, m := range mailboxes {
		m.Sampled = 0
		err = errors.Join(err, db.PutMailbox(ctx, m))
	}
	return err
}

// downgrade turns the database into one of the schema before.
func (s *Stage) downgrade() {
	s.Helper()
	found, err := filepath.Glob(filepath.Join(s.States, "*", "state.db"))
	s.must(err)
	if len(found) != 1 {
		s.Fatalf("there are the databases %q, want one", found)
	}
	// The package of the store brings the driver.
	db, err := sql.Open("sqlite", found[0])
	s.must(err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(s.Context(), previousScript)
	s.must(errors.Join(err, db.Close()))
}
