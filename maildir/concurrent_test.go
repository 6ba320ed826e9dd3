package maildir_test

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"mailmoor/maildir"
	"mailmoor/state"
)

// The tree may be used from several goroutines, and one sync is for all of them.
func TestConcurrentChanges(t *testing.T) {
	f := newFixture(t, func(o *maildir.Options) { o.Hook = nil })
	archive := f.folder("Archive")
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	var all []state.LocalMessage
	for range 120 {
		m, err := d.Add(f.NewKey(), incoming(mail, 0))
		f.ok(err)
		all = append(all, m)
	}
	f.ok(d.Commit())
	var group errgroup.Group
	group.SetLimit(8)
	for i, m := range all {
		group.Go(func() error {
			r := record(m)
			switch i % 3 {
			case 0:
				return errOf(f.SetFlags(t.Context(), f.inbox, m.Key, 0, state.Seen))
			case 1:
				return errOf(f.Move(t.Context(), f.inbox, r, archive, state.Flagged))
			}
			return errOf(f.Remove(t.Context(), f.inbox, r, "test"))
		})
	}
	f.ok(group.Wait())
	f.ok(f.Sync(t.Context()))
	for folder, flags := range map[string]state.Flags{f.inbox: state.Seen, archive: state.Flagged} {
		got := f.scan(folder).New
		if len(got) != 40 {
			t.Errorf("%s has %d messages, want 40", folder, len(got))
		}
		for _, m := range got {
			if m.Flags != flags || m.Content != contentOf(mail) {
				t.Errorf("%s: %+v", folder, m)
			}
		}
	}
	if n := len(f.names(f.hold)); n != 40 {
		t.Errorf("%d messages held, want 40", n)
	}
}
