package store

import (
	"context"
	"database/sql"
	"strings"

	"mailmoor/state"
)

// Whose mail the records are about is what a login has proven, not what the
// configuration says: a mistyped name proves nothing, and one server can have many.

// unproven reports whether no login has succeeded yet.
func (a Account) unproven() bool { return a.Host == "" && a.User == "" }

// Moved reports whether the account is to be looked for elsewhere than where the last
// login found it. Its records must not be used then before Arrive was called.
func (s *Store) Moved() bool {
	s.arriving.Lock()
	defer s.arriving.Unlock()
	return s.moved()
}

func (s *Store) moved() bool {
	was, now := s.proven, s.account
	switch {
	case was.unproven():
		return false
	case was.User != now.User || !strings.EqualFold(was.Host, now.Host):
		return true
	}
	return was.Port != 0 && was.Port != now.Port
}

// SameUser reports whether the last login was that of the same user. Another one is
// another account, whatever its mailboxes hold: a script may have filled both alike.
func (s *Store) SameUser() bool {
	s.arriving.Lock()
	defer s.arriving.Unlock()
	return s.proven.User == s.account.User
}

// Arrive notes where a login has found the account. If it is not the same account, no
// record is believed before it was compared afresh; if it is the same one elsewhere, each
// mailbox is looked at once more in the next cycle. A guest only sees it so. Where nothing
// has changed, nothing is written.
func (s *Store) Arrive(ctx context.Context, same bool) error {
	s.arriving.Lock()
	defer s.arriving.Unlock()
	var err error
	switch {
	case !same:
		err = s.doubtServer(ctx)
	case s.moved():
		err = s.sampleAgain(ctx)
	}
	if err != nil || s.o.Guest || s.proven == s.account {
		return err
	}
	// Not before the state has taken notice of another server.
	if err := s.directory.putAccount(s.account); err != nil {
		return s.fail("note where the account is", err)
	}
	s.proven = s.account
	s.hook(pointArrived)
	return nil
}

// sampleAgain lets all mailboxes be listed as a whole: what proved the account was one of
// them.
func (s *Store) sampleAgain(ctx context.Context) error {
	if s.o.Guest {
		s.unsampled = true
		return nil
	}
	return s.write(ctx, pointDoubted, "look at all mailboxes again", func(ctx context.Context, tx *sql.Tx) error {
		return changeMailboxes(ctx, tx, func(m state.Mailbox) state.Mailbox {
			m.Sampled = 0
			return m
		})
	})
}

// doubtServer lets the records count no more than those of another server.
func (s *Store) doubtServer(ctx context.Context) error {
	if s.o.Guest {
		s.overlay = max(s.overlay, state.DoubtUIDs)
		return nil
	}
	was, now := s.proven, s.account
	at := state.Textf("%s", now.Host)
	if was.Port != now.Port && strings.EqualFold(was.Host, now.Host) {
		at = state.Textf("%s, port %d", now.Host, now.Port)
	}
	return s.write(ctx, pointDoubted, "doubt the state", func(ctx context.Context, tx *sql.Tx) error {
		err := addNews(ctx, tx, News{Text: state.Textf("the account is now that of %s at %s, in the last run it was that of %s at %s: "+
			"all messages are compared afresh before any is removed", now.User, at, was.User, was.Host)})
		if err != nil {
			return err
		}
		// What was Trash there says nothing here.
		if err := putMeta(ctx, tx, metaTrash, ""); err != nil {
			return err
		}
		return doubtAll(ctx, tx, state.DoubtUIDs)
	})
}
