package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"mailmoor/state"
)

// News is something about the state itself that the user must hear once.
type News struct {
	Text state.Text `json:"text"`
	Hint state.Text `json:"hint,omitempty"`
}

// News returns what the user has not been told yet, the oldest first.
func (s *Store) News(ctx context.Context) ([]News, error) {
	news, err := readNews(ctx, s.reader)
	if err != nil {
		return nil, s.fail("read the news", err)
	}
	return news, nil
}

// Told forgets the news, after the user has been told.
func (s *Store) Told(ctx context.Context) error {
	return s.write(ctx, pointTold, "forget the news", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", metaNews)
		return err
	})
}

func readNews(ctx context.Context, db queryer) ([]News, error) {
	text, err := meta(ctx, db, metaNews)
	if err != nil || text == "" {
		return nil, err
	}
	var news []News
	if err := json.Unmarshal([]byte(text), &news); err != nil {
		return nil, fmt.Errorf("%w: the news: %w", errDamaged, err)
	}
	return news, nil
}

func addNews(ctx context.Context, tx *sql.Tx, n News) error {
	news, err := readNews(ctx, tx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(append(news, n))
	if err != nil {
		return err
	}
	return putMeta(ctx, tx, metaNews, string(data))
}

// doubtAll makes the records of all mailboxes count no more than the doubt allows.
// Holds end: what they name may be something else by now, and no decision may reach
// that. The next cycle makes its own.
func doubtAll(ctx context.Context, tx *sql.Tx, doubt state.Doubt) error {
	err := changeMailboxes(ctx, tx, func(m state.Mailbox) state.Mailbox { return doubted(m, doubt) })
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM hold")
	}
	return err
}

// changeMailboxes changes what is known of each mailbox.
func changeMailboxes(ctx context.Context, tx *sql.Tx, change func(state.Mailbox) state.Mailbox) error {
	rows, err := tx.QueryContext(ctx, "SELECT "+mailboxColumns+" FROM mailbox")
	if err != nil {
		return err
	}
	mailboxes, err := collect(rows, func(rows *sql.Rows) (state.Mailbox, error) {
		_, m, err := scanMailbox(rows.Scan)
		return m, err
	})
	if err != nil {
		return err
	}
	for _, m := range mailboxes {
		if err := upsertMailbox(ctx, tx, change(m)); err != nil {
			return err
		}
	}
	return nil
}

// doubted returns the mailbox with a doubt that is at least as far-reaching. When the
// base is in doubt, no stamp may prove that a folder is as it was.
func doubted(m state.Mailbox, doubt state.Doubt) state.Mailbox {
	m.Doubt = max(m.Doubt, doubt)
	if doubt == state.DoubtBase {
		m.Stamp, m.Statted = state.FolderStamp{}, 0
	}
	return m
}

// age says how the state and the tree fit together in time.
type age uint8

const (
	sameAge  age = iota
	oldState     // the tree has seen runs that the state knows nothing of
	oldTree      // the state has seen runs that the tree knows nothing of
)

// compareAges compares the generation in the database with that in the root's marker.
// The database goes first: one that was not closed may be one ahead. It also returns
// the generation for the next run that writes. A database without a generation has
// never been compared.
func compareAges(database, marker int64, clean bool) (age, int64) {
	switch {
	case database == 0, database == marker:
		return sameAge, marker + 1
	case !clean && database == marker+1:
		return sameAge, database
	case database < marker:
		return oldState, marker + 1
	default:
		return oldTree, database + 1
	}
}

// generation returns the generation in the database, 0 when it has none.
func generation(ctx context.Context, db queryer) (int64, error) {
	text, err := meta(ctx, db, metaGeneration)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%w: generation %q", errDamaged, text)
	}
	return n, nil
}

func putGeneration(ctx context.Context, tx *sql.Tx, n int64) error {
	return putMeta(ctx, tx, metaGeneration, strconv.FormatInt(n, 10))
}
