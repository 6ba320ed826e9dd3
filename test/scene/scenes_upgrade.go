package scene

import (
	"context"
	"database/sql"
	_ "embed" // the script
	"errors"
	"os"
	"path/filepath"

	"mailmoor/state"
	"mailmoor/state/store"
)

// previousScript makes an earlier schema of a database.
//
//go:embed previous.sql
var previousScript string

// upgrades are scenes that begin with a database of an earlier schema.
func upgrades() []Scene {
	return []Scene{{
		Name: "schema-upgrade",
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "a", "b", "anon1", "twin", "twin")
			s.deliver("Drafts", "draft1")
			s.tag("INBOX", "anon1", "S", "work", "")
			begun(s)
		},
		Happen: func(s *Stage) {
			// That program left keywords to the server.
			s.inStore(untagged)
			s.downgrade()
			s.letters("INBOX", "anon1", "S")
			s.must(os.Remove(filepath.Join(s.Root, "INBOX", "dovecot-keywords")))
			s.deliver("INBOX", "in")
			s.put("INBOX", "S", "out")
			s.flag("INBOX", "a", "F")
			s.drop("INBOX", "b")
			s.edit("Drafts", "draft1", "draft2")
		},
		Check: func(s *Stage) {
			s.Expect(Want{
				Both: []string{
					"INBOX/still:", "INBOX/a:F", "INBOX/anon1:S[work]", "INBOX/twin:", "INBOX/twin:", "INBOX/in:", "INBOX/out:S",
					"Trash/b:", "Archive/filed:", "Drafts/draft2:",
				},
				Held: []string{"draft1"},
			})
			if copied, _ := filepath.Glob(filepath.Join(s.States, "*", "state-v2.db")); len(copied) != 1 {
				s.Errorf("the copies of the old database are %q, want one", copied)
			}
		},
	}}
}

// untagged forgets what the earlier schema had no place for.
func untagged(ctx context.Context, db *store.Store) error {
	mailboxes, err := db.Mailboxes(ctx)
	for _, m := range mailboxes {
		records, readErr := db.Records(ctx, m.Name)
		for i := range records {
			records[i].Keywords, records[i].LocalKeywords = "", ""
		}
		m.Tagged = false
		err = errors.Join(err, readErr, db.Settle(ctx, state.Settlement{Put: records}), db.PutMailbox(ctx, m))
	}
	return err
}

// downgrade turns the database into one of the earlier schema.
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
