package sim

import "context"

// Trash implements engine.StoreMemory.
func (s *Store) Trash(ctx context.Context) (mailbox string, err error) {
	err = s.read(ctx, "store.trash", func(t tables) { mailbox = t.trash })
	return mailbox, err
}

// PutTrash implements engine.StoreMemory.
func (s *Store) PutTrash(ctx context.Context, mailbox string) error {
	return s.write(ctx, "store.putTrash", func(t *tables) error {
		t.trash = mailbox
		return nil
	})
}
