package sim

import (
	"context"
	"slices"

	"mailmoor/state"
)

// UIDs implements engine.StoreSeen.
func (s *Store) UIDs(ctx context.Context, mailbox string) (uids state.UIDSet, err error) {
	err = s.read(ctx, "store.uids", func(t tables) {
		for _, r := range t.records[mailbox] {
			if r.UID != 0 {
				uids = uids.Add(r.UID)
			}
		}
	})
	return uids, err
}

// RecordsOf implements engine.StoreSeen.
func (s *Store) RecordsOf(ctx context.Context, mailbox string, uids state.UIDSet) (list []state.Record, err error) {
	err = s.read(ctx, "store.recordsOf", func(t tables) {
		for _, r := range t.records[mailbox] {
			if r.UID != 0 && uids.Contains(r.UID) {
				list = append(list, r)
			}
		}
	})
	slices.SortFunc(list, compareRecords)
	return list, err
}
