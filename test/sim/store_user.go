package sim

import (
	"mailmoor/state"
)

// StoreBackup is what a store knew at one moment.
type StoreBackup struct{ data tables }

// Backup returns a copy of the store. It takes no step.
func (s *Store) Backup() StoreBackup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return StoreBackup{s.data.clone()}
}

// Restore puts the backup in place of the store, whose records are then in
// doubt: it is not of the same time as the tree.
func (s *Store) Restore(b StoreBackup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = b.data.clone()
	s.doubt()
}

// Doubt puts all records in doubt, as a tree does that was restored.
func (s *Store) Doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubt()
}

func (s *Store) doubt() {
	for name, m := range s.data.mailboxes {
		m.Doubt, m.Stamp = state.DoubtBase, state.FolderStamp{}
		s.data.mailboxes[name] = m
	}
}
