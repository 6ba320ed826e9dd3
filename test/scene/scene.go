package scene

import (
	"slices"

	"mailmoor/test/lab"
)

// Scene is a piece of work that a fault loop disturbs.
type Scene struct {
	Name string
	// Server are options of the server, beyond the mailboxes that every stage has.
	Server []lab.Option
	// Hide are capabilities that the server seems not to have.
	Hide []string
	// Prepare fills both sides, and brings them in step unless the scene begins
	// before the first run.
	Prepare func(*Stage)
	// Happen is what users or accidents do then.
	Happen func(*Stage)
	// Check lets the program come to rest and checks what has become of it all.
	Check func(*Stage)
}

// Begin plays the scene up to the point at which the program is to work.
func (s Scene) Begin(stage *Stage) {
	stage.Helper()
	s.Prepare(stage)
	s.Happen(stage)
	if stage.Failed() {
		stage.Fatalf("scene %s could not begin", s.Name)
	}
}

// All returns the scenes that fault loops play.
func All() []Scene {
	return slices.Concat(firstRuns(), transfers(), changes(), deletions(), moves(), mailboxes(), renumberings(), generations(), decisions(), troubles(), poisonAndMore(), upgrades())
}
