package maildir

import "sync"

// dirSyncs lets operations that change the same directory at the same time share
// one sync of it. Each caller is served by a sync that began after it asked.
type dirSyncs struct {
	running sync.Mutex // held by the sync that is under way
	mu      sync.Mutex
	waiting map[uint64]*dirSync // by inode; not begun yet
}

// dirSync is one sync of a directory for all who asked before it began.
type dirSync struct {
	done chan struct{}
	err  error
}

// sync makes the directory's entries durable.
func (s *dirSyncs) sync(d dir) error {
	st, err := fstat(d.f)
	if err != nil {
		return err
	}
	s.mu.Lock()
	mine := s.waiting[st.Ino]
	if mine != nil {
		s.mu.Unlock()
		<-mine.done
		return mine.err
	}
	mine = &dirSync{done: make(chan struct{})}
	s.waiting[st.Ino] = mine
	s.mu.Unlock()

	s.running.Lock()
	s.mu.Lock()
	delete(s.waiting, st.Ino) // who comes now needs another one
	s.mu.Unlock()
	mine.err = d.sync()
	s.running.Unlock()
	close(mine.done)
	return mine.err
}
