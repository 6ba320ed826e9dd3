package scene

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/state/store"
)

// Want is what must be true when the program has come to rest. Messages are
// named "INBOX/token:FLAGS", once for each time that they must be there.
type Want struct {
	// Both are on both sides.
	Both []string
	// Remote and Local are on one side alone.
	Remote, Local []string
	// Held are the tokens in the hold area.
	Held []string
	// Holds is the number of holds that the user has to decide on, Stuck that of
	// messages that could not be transferred and wait for their next chance.
	Holds, Stuck int
}

// Expect lets the program come to rest and checks everything: the invariants, and
// what the scene wants.
func (s *Stage) Expect(want Want) {
	s.Helper()
	s.Rest()
	report := s.idle()
	undecided := slices.DeleteFunc(slices.Clone(report.Holds), func(h state.Hold) bool { return h.Decision != state.Undecided })
	if len(undecided) != want.Holds {
		s.Errorf("holds are %+v, want %d", undecided, want.Holds)
	}
	if len(report.Problems) > 0 {
		s.Errorf("a run with nothing to do complains: %+v", report.Problems)
	}
	remote, local := s.remote(), s.local()
	s.differ("the server has other mail than it should", sorted(want.Both, want.Remote), remote.names())
	s.differ("the tree has other mail than it should", sorted(want.Both, want.Local), local.names())
	s.holdArea(want.Held)
	s.differ("unfinished files were left", []string(nil), s.unfinished())
	s.intact(remote)
	s.intact(local)
	s.inStore(func(ctx context.Context, db *store.Store) error { return s.checkStore(ctx, db, want, remote, local) })
	s.Quiesce()
}

// differ reports a difference.
func (s *Stage) differ(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Clip(append([]string{}, all...))
}

// intact checks that every message has the content that it was made with, and
// its date.
func (s *Stage) intact(mail side) {
	s.Helper()
	for at, m := range mail {
		if m.Digest != digest(Body(m.Token)) {
			s.Errorf("the content of %s at %+v is not what it was", m, at)
		}
		if m.Date != dateOf(m.Token) {
			s.Errorf("%s at %+v has the date %d, want %d", m, at, m.Date, dateOf(m.Token))
		}
	}
}

// holdArea checks what lies in the hold area. In that of a disturbed stage there may
// be more than is needed: a body is kept again when nobody knows whether it was kept,
// and kept to be safe when a removal or a move has to be made out from what it left.
func (s *Stage) holdArea(want []string) {
	s.Helper()
	held := s.held()
	if s.Disturbed {
		left := slices.Clone(want)
		held = slices.DeleteFunc(held, func(token string) bool {
			i := slices.Index(left, token)
			if i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
			return i < 0
		})
	}
	s.differ("the hold area has other mail than it should", sorted(want), held)
}

// checkStore checks that no intent is open, that the records agree with both sides,
// and that what the store says of the hold area is there.
func (s *Stage) checkStore(ctx context.Context, db *store.Store, want Want, remote, local side) error {
	if err := s.checkHeld(ctx, db); err != nil {
		return err
	}
	intents, err := db.Intents(ctx)
	if err != nil {
		return err
	}
	if len(intents) > 0 {
		s.Errorf("intents are open at rest: %+v", intents)
	}
	waiting, err := db.Waiting(ctx)
	if err != nil {
		return err
	}
	stuck := slices.DeleteFunc(waiting, func(r state.Record) bool {
		return r.State != state.UploadStuck && r.State != state.DownloadStuck
	})
	if len(stuck) != want.Stuck {
		s.Errorf("stuck are %+v, want %d", stuck, want.Stuck)
	}
	mailboxes, err := db.Mailboxes(ctx)
	if err != nil {
		return err
	}
	c := census{Stage: s, remote: remote, local: local, alone: sorted(want.Remote, want.Local), counted: map[place]bool{}}
	for _, mailbox := range mailboxes {
		records, err := db.Records(ctx, mailbox.Name)
		if err != nil {
			return err
		}
		for _, r := range records {
			c.record(r, mailbox.Folder)
		}
	}
	c.complete()
	return nil
}

// checkHeld checks that the list of what lies in the hold area is true.
func (s *Stage) checkHeld(ctx context.Context, db *store.Store) error {
	listed, err := db.HeldFiles(ctx, 0)
	if err != nil {
		return err
	}
	area, err := filepath.Glob(filepath.Join(s.States, "*", "hold"))
	s.must(err)
	seen := make(map[string]bool)
	for _, h := range listed {
		if seen[h.Path] {
			s.Errorf("the hold area has %s listed twice", h.Path)
		}
		seen[h.Path] = true
		if len(area) == 0 {
			s.Errorf("the hold area does not exist, and %s is listed", h.Path)
			continue
		}
		if m := s.readFile(h.Mailbox, filepath.Join(area[0], h.Path), ""); m.Digest != h.Content.Digest {
			s.Errorf("the hold area has %s under the name of something else", m.Token)
		}
	}
	return nil
}

// census checks that records are a bijection between UIDs and files.
type census struct {
	*Stage
	remote, local side
	// alone are the messages that may be on one side alone.
	alone   []string
	counted map[place]bool
}

// record checks one record and counts the messages that it speaks for.
func (c *census) record(r state.Record, folder string) {
	c.Helper()
	if r.State == state.Expunging {
		return // its message is marked deleted and was left out
	}
	var found []Mail
	for _, side := range []struct {
		side
		place
		claimed bool
	}{
		{c.remote, place{Mailbox: r.Mailbox, UID: r.UID}, r.UID != 0},
		{c.local, place{Mailbox: folder, Key: r.Key}, r.Key != ""},
	} {
		if m, there := side.side[side.place]; side.claimed && there {
			found = append(found, m)
			if c.counted[side.place] {
				c.Errorf("%s at %+v has two records", m, side.place)
			}
			c.counted[side.place] = true
		}
	}
	switch {
	case len(found) == 0:
		c.Errorf("nothing is there of the record with UID %d and key %q in %s", r.UID, r.Key, r.Mailbox)
	case len(found) == 1:
		if !slices.Contains(c.alone, found[0].String()) {
			c.Errorf("of the record with UID %d and key %q only %s is there", r.UID, r.Key, found[0])
		}
	case found[0].Digest != found[1].Digest || found[0].Digest != r.Content.Digest:
		c.Errorf("the record of UID %d and key %q pairs %s with %s", r.UID, r.Key, found[0], found[1])
	case found[0].Flags != r.Flags || found[1].Flags != r.Flags:
		c.Errorf("the record of UID %d and key %q has flags %q; there are %s and %s", r.UID, r.Key, r.Flags, found[0], found[1])
	case !found[0].Keywords.Equal(r.Keywords) || !found[1].Keywords.Equal(r.AllKeywords()):
		c.Errorf("the record of UID %d and key %q has keywords %q and %q; there are %s and %s", r.UID, r.Key,
			r.Keywords, r.LocalKeywords, found[0], found[1])
	}
}

// complete checks that every message has a record.
func (c *census) complete() {
	c.Helper()
	for _, mail := range []side{c.remote, c.local} {
		for at, m := range mail {
			if !c.counted[at] {
				c.Errorf("%s at %+v has no record", m, at)
			}
		}
	}
}
