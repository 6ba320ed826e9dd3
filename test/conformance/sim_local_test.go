package conformance_test

import (
	"testing"

	"mailmoor/state"
	"mailmoor/test/conformance"
	"mailmoor/test/sim"
)

func TestSimLocal(t *testing.T) { inMemory(t, sim.TreeOptions{}) }

func TestSimLocalThatFoldsCase(t *testing.T) { inMemory(t, sim.TreeOptions{FoldsCase: true}) }

// inMemory runs the suite on simulated trees.
func inMemory(t *testing.T, o sim.TreeOptions) {
	t.Helper()
	conformance.Local(t, func(*testing.T) conformance.LocalFixture {
		o.World = sim.NewWorld(simStart)
		tree := sim.NewTree(o)
		return conformance.LocalFixture{Tree: tree, User: simUser{tree}, Disk: simUser{tree}}
	})
}

// simUser acts on the simulated tree directly.
type simUser struct{ tree *sim.Tree }

func (u simUser) Put(_ *testing.T, folder string, f conformance.File) {
	u.tree.PutFile(folder, sim.File{Key: f.Key, Letters: f.Letters, New: f.New, Date: f.Date, Data: f.Data})
}

func (u simUser) SetLetters(_ *testing.T, folder string, key state.Key, letters string) {
	u.tree.SetLetters(folder, key, letters)
}

func (u simUser) Edit(_ *testing.T, folder string, key state.Key, data []byte) {
	u.tree.EditFile(folder, key, data)
}

func (u simUser) Delete(_ *testing.T, folder string, key state.Key) { u.tree.DeleteFile(folder, key) }

func (u simUser) Files(_ *testing.T, folder string) []conformance.File {
	var list []conformance.File
	for _, f := range u.tree.Files(folder) {
		list = append(list, conformance.File{Key: f.Key, Letters: f.Letters, New: f.New, Date: f.Date, Data: f.Data})
	}
	return list
}

func (u simUser) Leftovers(_ *testing.T, folder string) int { return len(u.tree.Leftovers(folder)) }

func (u simUser) Held(t *testing.T, path string) []byte {
	t.Helper()
	f, found := u.tree.HeldFile(path)
	if !found {
		t.Fatalf("the hold area has no %q", path)
	}
	return f.Data
}

func (u simUser) AddFolder(_ *testing.T, name string) string {
	u.tree.AddFolder(name)
	return name
}

func (u simUser) Keywords(_ *testing.T, _, letters string) state.Keywords {
	return u.tree.KeywordsOf(sim.File{Letters: letters})
}

func (u simUser) Unmount(*testing.T) { u.tree.SetMounted(false) }
