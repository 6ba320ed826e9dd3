package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"mailmoor/state"
)

// Store implements engine.Store in memory. Its transactions work on a copy that
// takes the place of the data only when all of it succeeded.
type Store struct {
	world *World

	mu   sync.Mutex
	data tables
}

// tables is all that the store knows.
type tables struct {
	mailboxes map[string]state.Mailbox
	records   map[string][]state.Record
	intents   []state.Intent
	holds     []state.Hold
	held      []state.Held
	givenUp   []state.Intent
	buried    []state.Tombstone
	trash     string
	strays    []state.StrayNote
	lastID    int64
	commits   int
}

// NewStore returns an empty store; a nil world gives it one of its own.
func NewStore(w *World) *Store {
	if w == nil {
		w = NewWorld(0)
	}
	return &Store{world: w, data: tables{mailboxes: map[string]state.Mailbox{}, records: map[string][]state.Record{}}}
}

// clone returns a copy in which nothing can be changed under the original.
func (t tables) clone() tables {
	t.mailboxes, t.records = maps.Clone(t.mailboxes), maps.Clone(t.records)
	for name, records := range t.records {
		t.records[name] = slices.Clone(records)
	}
	t.intents, t.held = slices.Clone(t.intents), slices.Clone(t.held)
	t.givenUp, t.buried = slices.Clone(t.givenUp), slices.Clone(t.buried)
	t.strays = slices.Clone(t.strays)
	t.holds = cloneHolds(t.holds)
	return t
}

func cloneHolds(holds []state.Hold) []state.Hold {
	holds = slices.Clone(holds)
	for i := range holds {
		holds[i].UIDs = slices.Clone(holds[i].UIDs)
	}
	return holds
}

// read calls look with the data between two steps.
func (s *Store) read(ctx context.Context, op string, look func(tables)) error {
	if err := s.step(ctx, op, false); err != nil {
		return err
	}
	s.mu.Lock()
	look(s.data)
	s.mu.Unlock()
	return s.step(ctx, op, true)
}

// write runs one transaction between two steps.
func (s *Store) write(ctx context.Context, op string, change func(*tables) error) error {
	if err := s.step(ctx, op, false); err != nil {
		return err
	}
	s.mu.Lock()
	data := s.data.clone()
	err := change(&data)
	if err == nil {
		data.commits++
		s.data = data
	}
	s.mu.Unlock()
	if err != nil {
		return &state.Error{Scope: state.ScopeAccount, Doing: state.Text(op), Err: err}
	}
	return s.step(ctx, op, true)
}

// step takes a step of the world. What it injects is a failing disk.
func (s *Store) step(ctx context.Context, op string, after bool) error {
	if err := ctx.Err(); err != nil && !after {
		return fmt.Errorf("%s: %w", op, err)
	}
	err := s.world.step(op, "", after)
	var e *state.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, ErrKilled):
		return &state.Error{Scope: state.ScopeProcess, Doing: state.Text(op), Err: err}
	}
	return &state.Error{Scope: state.ScopeAccount, Cause: state.CauseDisk, Doing: state.Text(op), Err: err}
}

// Mailboxes implements engine.StoreReader.
func (s *Store) Mailboxes(ctx context.Context) (list []state.Mailbox, err error) {
	err = s.read(ctx, "store.mailboxes", func(t tables) {
		for _, m := range t.mailboxes {
			list = append(list, m)
		}
		slices.SortFunc(list, func(a, b state.Mailbox) int { return cmp.Compare(a.Name, b.Name) })
	})
	return list, err
}

// Records implements engine.StoreReader.
func (s *Store) Records(ctx context.Context, mailbox string) (list []state.Record, err error) {
	err = s.read(ctx, "store.records", func(t tables) { list = slices.Clone(t.records[mailbox]) })
	slices.SortFunc(list, compareRecords)
	return list, err
}

// Waiting implements engine.StoreReader.
func (s *Store) Waiting(ctx context.Context) (list []state.Record, err error) {
	err = s.read(ctx, "store.waiting", func(t tables) {
		for _, records := range t.records {
			for _, r := range records {
				if r.State != state.Paired {
					list = append(list, r)
				}
			}
		}
	})
	slices.SortFunc(list, compareRecords)
	return list, err
}

// compareRecords orders records by mailbox, UID and key.
func compareRecords(a, b state.Record) int {
	return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.UID, b.UID), cmp.Compare(a.Key, b.Key))
}

// Intents implements engine.StoreReader.
func (s *Store) Intents(ctx context.Context) (list []state.Intent, err error) {
	err = s.read(ctx, "store.intents", func(t tables) { list = slices.Clone(t.intents) })
	return list, err
}

// Holds implements engine.StoreReader.
func (s *Store) Holds(ctx context.Context) (list []state.Hold, err error) {
	err = s.read(ctx, "store.holds", func(t tables) { list = cloneHolds(t.holds) })
	slices.SortFunc(list, func(a, b state.Hold) int { return cmp.Compare(a.ID, b.ID) })
	return list, err
}

// PutMailbox implements engine.StoreWriter.
func (s *Store) PutMailbox(ctx context.Context, m state.Mailbox) error {
	return s.write(ctx, "store.mailbox", func(t *tables) error {
		if err := m.Check(); err != nil {
			return err
		}
		t.mailboxes[m.Name] = m
		return nil
	})
}

// ForgetMailbox implements engine.StoreWriter.
func (s *Store) ForgetMailbox(ctx context.Context, name string) error {
	return s.write(ctx, "store.forget", func(t *tables) error {
		delete(t.mailboxes, name)
		delete(t.records, name)
		t.intents = slices.DeleteFunc(t.intents, func(i state.Intent) bool { return i.Mailbox == name })
		t.holds = slices.DeleteFunc(t.holds, func(h state.Hold) bool { return h.Mailbox == name })
		t.givenUp = slices.DeleteFunc(t.givenUp, func(i state.Intent) bool { return i.Mailbox == name })
		t.buried = slices.DeleteFunc(t.buried, func(b state.Tombstone) bool { return b.Mailbox == name })
		return nil
	})
}

// Intend implements engine.StoreWriter. The IDs are filled in only when all of
// the intents were noted.
func (s *Store) Intend(ctx context.Context, intents []state.Intent) error {
	noted := slices.Clone(intents)
	err := s.write(ctx, "store.intend", func(t *tables) error {
		for i := range noted {
			if err := noted[i].Check(); err != nil {
				return err
			}
			if err := t.known(noted[i].Mailbox); err != nil {
				return err
			}
			noted[i].ID = t.id()
		}
		t.intents = append(t.intents, noted...)
		return nil
	})
	if err != nil {
		return err
	}
	copy(intents, noted)
	return nil
}

// id returns an ID that nothing had before.
func (t *tables) id() int64 {
	t.lastID++
	return t.lastID
}

func (t *tables) known(mailbox string) error {
	if _, known := t.mailboxes[mailbox]; !known {
		return fmt.Errorf("mailbox %q is not known", mailbox)
	}
	return nil
}

// Settle implements engine.StoreWriter. What Put replaces is removed before
// anything is inserted, so that records may swap their keys.
func (s *Store) Settle(ctx context.Context, settled state.Settlement) error {
	return s.write(ctx, "store.settle", func(t *tables) error {
		for _, m := range settled.Mailboxes {
			if err := m.Check(); err != nil {
				return err
			}
			t.mailboxes[m.Name] = m
		}
		for _, r := range slices.Concat(settled.Drop, settled.Put) {
			if err := t.known(r.Mailbox); err != nil {
				return err
			}
			t.records[r.Mailbox] = slices.DeleteFunc(t.records[r.Mailbox], func(old state.Record) bool { return replaces(r, old) })
		}
		for _, r := range settled.Put {
			if err := t.insert(r); err != nil {
				return err
			}
		}
		for _, i := range t.intents {
			if slices.Contains(settled.GivenUp, i.ID) {
				t.givenUp = append(t.givenUp, i)
			}
		}
		ended := slices.Concat(settled.Done, settled.GivenUp)
		t.intents = slices.DeleteFunc(t.intents, func(i state.Intent) bool { return slices.Contains(ended, i.ID) })
		t.held = append(t.held, settled.Held...)
		slices.SortFunc(t.givenUp, func(a, b state.Intent) int { return cmp.Compare(a.ID, b.ID) })
		for _, b := range settled.Buried {
			if err := t.known(b.Mailbox); err != nil {
				return err
			}
			t.unbury(b)
			t.buried = append(t.buried, b)
		}
		for _, b := range settled.Confirmed {
			t.unbury(b)
		}
		t.givenUp = slices.DeleteFunc(t.givenUp, func(i state.Intent) bool { return slices.Contains(settled.Recalled, i.ID) })
		return nil
	})
}

func (t *tables) unbury(b state.Tombstone) {
	t.buried = slices.DeleteFunc(t.buried, func(old state.Tombstone) bool {
		return old.Mailbox == b.Mailbox && old.UIDValidity == b.UIDValidity && old.UID == b.UID
	})
}

// replaces reports whether r names the stored record old: by UID, or by key
// where it has no UID.
func replaces(r, old state.Record) bool {
	if r.UID != 0 {
		return old.UID == r.UID
	}
	return old.Key == r.Key
}

// insert adds a record whose UID and key no other one has.
func (t *tables) insert(r state.Record) error {
	if err := r.Check(); err != nil {
		return err
	}
	for _, old := range t.records[r.Mailbox] {
		if r.UID != 0 && old.UID == r.UID || r.Key != "" && old.Key == r.Key {
			return fmt.Errorf("mailbox %q: UID %d and key %q meet UID %d and key %q", r.Mailbox, r.UID, r.Key, old.UID, old.Key)
		}
	}
	t.records[r.Mailbox] = append(t.records[r.Mailbox], r)
	return nil
}

// PutHolds implements engine.StoreWriter. A hold that grew becomes another one:
// no approval may reach further than what the user saw.
func (s *Store) PutHolds(ctx context.Context, holds []state.Hold) ([]state.Hold, error) {
	put := cloneHolds(holds)
	err := s.write(ctx, "store.putholds", func(t *tables) error {
		for i := range put {
			if err := errors.Join(put[i].UIDs.Check(), t.known(put[i].Mailbox), t.merge(&put[i])); err != nil {
				return err
			}
		}
		t.holds = cloneHolds(put)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return put, nil
}

// merge gives a hold its ID and the decision that the user made of it.
func (t *tables) merge(h *state.Hold) error {
	i := slices.IndexFunc(t.holds, func(old state.Hold) bool { return old.ID == h.ID })
	switch {
	case h.ID == 0:
		h.ID = t.id()
	case i < 0:
		return fmt.Errorf("hold %d is not known", h.ID)
	case grown(t.holds[i], *h):
		h.ID, h.Decision = t.id(), state.Undecided
	default:
		h.Decision = t.holds[i].Decision
	}
	return nil
}

// grown reports whether the hold now covers something that it did not before.
func grown(was, now state.Hold) bool {
	if was.Mailbox != now.Mailbox || was.Missing != now.Missing || now.Whole && !was.Whole {
		return true
	}
	if now.Lost > was.Lost || now.Through > was.Through {
		return true
	}
	return slices.ContainsFunc(now.UIDs, func(r state.UIDRange) bool {
		// Ranges do not touch: one that is covered is covered by one range.
		return !slices.ContainsFunc(was.UIDs, func(w state.UIDRange) bool { return w.First <= r.First && r.Last <= w.Last })
	})
}

// Decide records what the user said of a hold. It takes no step.
func (s *Store) Decide(id int64, d state.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.data.holds {
		if s.data.holds[i].ID == id {
			s.data.holds[i].Decision = d
			return
		}
	}
	panic(fmt.Sprintf("the test decides hold %d, which does not exist", id))
}

// Held returns what was settled as held so far.
func (s *Store) Held() []state.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data.held)
}

// Commits returns the number of transactions so far.
func (s *Store) Commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data.commits
}
