package engine_test

import (
	"maps"
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestMailboxesThatDifferInCase: each has a folder of its own, on a disk that ignores
// case, too, whichever came first. Both ways of all of them work, and without the state
// each finds its folder again.
func TestMailboxesThatDifferInCase(t *testing.T) {
	for _, folds := range []bool{false, true} {
		f := newFixture(t, sim.ServerOptions{})
		f.tree = sim.NewTree(sim.TreeOptions{World: f.world, FoldsCase: folds})
		names := []string{"work", "WORK/a", "Work", "work/A"}
		for i, name := range names {
			f.server.CreateMailbox(name, state.RoleNone)
			f.deliver(name, "in "+name)
			if i%2 == 1 { // the first ones are there already when the others come
				f.clean()
			}
		}
		f.idle()
		places := f.places(names...)
		for name, folder := range places {
			f.put(folder, "S", "put into "+name)
		}
		f.clean()
		f.idle()
		before := f.remote()

		f.store = sim.NewStore(f.world)
		if c := f.clean().Counts; c.Paired != 2*len(names) || c.Downloaded+c.Uploaded+c.NewFolders+c.NewMailboxes != 0 {
			t.Errorf("folds %v: without the state %+v", folds, c)
		}
		f.idle()
		if got := f.places(names...); !maps.Equal(got, places) {
			t.Errorf("folds %v: the folders are %q, and were %q", folds, got, places)
		}
		if got := f.remote(); !slices.Equal(got, before) {
			t.Errorf("folds %v: the server has %q, and had %q", folds, got, before)
		}
	}
}

// places returns the folder that each mailbox is kept in, and checks that no two of
// them share one.
func (f *fixture) places(names ...string) map[string]string {
	f.t.Helper()
	known, err := f.store.Mailboxes(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	places, users := make(map[string]string), make(map[string]string)
	for _, m := range known {
		if other, shared := users[m.Folder]; shared {
			f.t.Errorf("mailboxes %q and %q share folder %q", other, m.Name, m.Folder)
		}
		if users[m.Folder] = m.Name; slices.Contains(names, m.Name) {
			places[m.Name] = m.Folder
		}
	}
	if len(places) != len(names) {
		f.t.Errorf("of mailboxes %q these have folders: %q", names, places)
	}
	return places
}
