package store

import (
	"context"
	"database/sql"

	"mailmoor/state"
)

// Trash returns the mailbox that deleted messages went to, empty if there was none.
func (s *Store) Trash(ctx context.Context) (string, error) {
	name, err := meta(ctx, s.reader, metaTrash)
	if err != nil {
		return "", s.fail("read which mailbox is Trash", err)
	}
	return name, nil
}

// PutTrash notes which mailbox deleted messages go to.
func (s *Store) PutTrash(ctx context.Context, mailbox string) error {
	doing := state.Textf("note that mailbox %q is Trash", mailbox)
	return s.change(ctx, pointTrash, doing, func(ctx context.Context, tx *sql.Tx) error {
		return putMeta(ctx, tx, metaTrash, mailbox)
	})
}

// FirstTime notes something that the user is told once, and reports whether it is the
// first time.
func (s *Store) FirstTime(ctx context.Context, what string) (bool, error) {
	first, key := false, metaTold+what
	err := s.write(ctx, pointTold, "note what the user has been told", func(ctx context.Context, tx *sql.Tx) error {
		told, err := meta(ctx, tx, key)
		if first = told == ""; err != nil || !first {
			return err
		}
		return putMeta(ctx, tx, key, "1")
	})
	return first && err == nil, err
}
