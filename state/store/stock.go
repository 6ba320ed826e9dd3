package store

import (
	"context"
	"database/sql"

	"mailmoor/state"
)

// takeStock finds out whether the state and the tree are of the same time. When they are
// not, the records are doubted before anybody reads them. A guest only sees them so.
func (s *Store) takeStock(ctx context.Context, account Account) error {
	age, err := s.compare(ctx)
	if err != nil {
		return err
	}
	news, odd := newsOfAge(age, account)
	if !odd {
		return nil
	}
	if s.o.Guest {
		s.overlay = state.DoubtBase
		return nil
	}
	err = s.write(ctx, pointDoubted, "doubt the state", func(ctx context.Context, tx *sql.Tx) error {
		if err := addNews(ctx, tx, news); err != nil {
			return err
		}
		if err := putGeneration(ctx, tx, s.next); err != nil {
			return err
		}
		return doubtAll(ctx, tx, state.DoubtBase)
	})
	if err != nil {
		return err
	}
	return s.mark()
}

// compare finds out whether state and tree are of the same age, and which generation
// comes next.
func (s *Store) compare(ctx context.Context) (age, error) {
	if s.o.Mark == nil && (!s.o.Guest || s.o.Marked == 0) {
		return sameAge, nil
	}
	now, err := generation(ctx, s.reader)
	if err != nil {
		return sameAge, err
	}
	if s.o.Guest {
		// Its owner may be at work, between the two.
		clean, err := meta(ctx, s.reader, metaClean)
		if err != nil {
			return sameAge, err
		}
		s.unclean = clean == "0"
	}
	found, next := compareAges(now, s.o.Marked, !s.unclean)
	s.next = next
	// The run before was killed between the two. Until this one marks the root, the
	// database must not look cleanly closed.
	s.ahead = found == sameAge && now == s.o.Marked+1
	return found, nil
}

// newsOfAge says what it means that state and tree are not of the same age.
func newsOfAge(a age, account Account) (News, bool) {
	const rest state.Text = "all messages are compared afresh, and nothing is removed in this run"
	switch a {
	case oldState:
		return News{Text: state.Textf("the state is older than the mail in %s, as after it was restored from a backup: %s",
			account.Root, rest)}, true
	case oldTree:
		return News{Text: state.Textf("the mail in %s is older than the state, as after it was restored from a backup: %s",
			account.Root, rest)}, true
	default:
		return News{}, false
	}
}

// change is write for what the two sides have agreed on. Before the first change of a
// run the generation is raised, in the database and then in the marker of the root:
// whoever puts one of them back from a backup is found out.
func (s *Store) change(ctx context.Context, point string, doing state.Text, do func(context.Context, *sql.Tx) error) error {
	if err := s.raise(ctx, doing); err != nil {
		return err
	}
	return s.write(ctx, point, doing, do)
}

func (s *Store) raise(ctx context.Context, doing state.Text) error {
	if s.o.Mark == nil || s.o.Guest {
		return nil
	}
	s.raising.Lock()
	defer s.raising.Unlock()
	if s.raised {
		return nil
	}
	s.ahead = true
	err := s.write(ctx, pointRaised, doing, func(ctx context.Context, tx *sql.Tx) error {
		return putGeneration(ctx, tx, s.next)
	})
	if err != nil {
		return err
	}
	return s.mark()
}

// mark brings the marker to the generation of the database. Until it is there, the
// database must not look cleanly closed.
func (s *Store) mark() error {
	s.ahead = true
	if err := s.o.Mark(s.next); err != nil {
		return err
	}
	s.ahead, s.raised = false, true
	return nil
}
