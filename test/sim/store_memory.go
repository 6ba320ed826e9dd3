package sim

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"mailmoor/state"
)

// GivenUp implements engine.StoreMemory.
func (s *Store) GivenUp(ctx context.Context) (list []state.Intent, err error) {
	err = s.read(ctx, "store.givenup", func(t tables) { list = slices.Clone(t.givenUp) })
	return list, err
}

// Tombstones implements engine.StoreMemory.
func (s *Store) Tombstones(ctx context.Context) (list []state.Tombstone, err error) {
	err = s.read(ctx, "store.tombstones", func(t tables) { list = slices.Clone(t.buried) })
	slices.SortFunc(list, func(a, b state.Tombstone) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.UID, b.UID), cmp.Compare(a.UIDValidity, b.UIDValidity))
	})
	return list, err
}

// StrayNotes implements engine.StoreMemory.
func (s *Store) StrayNotes(ctx context.Context) (list []state.StrayNote, err error) {
	err = s.read(ctx, "store.straynotes", func(t tables) { list = slices.Clone(t.strays) })
	return list, err
}

// PutStrayNotes implements engine.StoreMemory.
func (s *Store) PutStrayNotes(ctx context.Context, notes []state.StrayNote) error {
	return s.write(ctx, "store.putstraynotes", func(t *tables) error {
		for _, n := range notes {
			if err := n.Check(); err != nil {
				return err
			}
		}
		t.strays = slices.Clone(notes)
		slices.SortFunc(t.strays, func(a, b state.StrayNote) int { return strings.Compare(a.Path, b.Path) })
		return nil
	})
}

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
