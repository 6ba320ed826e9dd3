package cut

import (
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/test/lab"
)

// slowPatience is much less than a large message takes on a slow line, and far
// more than the time between two of its pieces.
const slowPatience = 5 * time.Second

// slow is a line and what goes over it. The large message alone takes it twice the
// patience.
type slow struct {
	scene          string
	bytesPerSecond int
}

func slowLines() []slow {
	if *everyFlag == 0 {
		return []slow{{"flags", 2000}, {"moved-here", 2000}, {"draft-edited", 2000}, {"download", 10_000}, {"upload", 10_000}}
	}
	var all []slow
	for _, name := range scenes() {
		all = append(all, slow{name, 2000})
	}
	return all
}

// TestSlow: at 2 kB/s everything takes long and nothing fails, because the deadlines
// are on progress: as long as bytes move, a run is patient.
func TestSlow(t *testing.T) {
	for _, x := range slowLines() {
		if !wanted(sceneFlag, x.scene) {
			continue
		}
		t.Run(x.scene, func(t *testing.T) {
			t.Parallel()
			c := listen(t, sceneOf(t, x.scene), masks()[0], lab.Faults)
			c.Restore(c.before)
			c.line.Behave(lab.Behaviour{BytesPerSecond: x.bytesPerSecond})
			c.patience = slowPatience
			if got := c.rest(); got != c.clean {
				t.Errorf("on a slow line the runs did %+v, else %+v", got, c.clean)
			}
			c.line.Behave(lab.Behaviour{})
			c.patience = 0
			if next := c.quietly(); next.Counts != (engine.Counts{}) {
				t.Errorf("a run on a slow line claimed that both sides were in step, and the next one did %+v", next.Counts)
			}
			c.scene.Check(c.Stage)
		})
	}
}
