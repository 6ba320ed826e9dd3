package cut

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

// failuresMax is how many failures of one conversation are shown.
const failuresMax = 10

// conversation is what a scene and a server say to each other when nothing
// disturbs them.
type conversation struct {
	*account
	scene  scene.Scene
	mask   mask
	before *scene.Snapshot
	// clean is what the undisturbed run did.
	clean  engine.Counts
	stream [2][]byte
	// usual is what an undisturbed run leaves in the hold area. spare is how many
	// copies more than that were found there and put into the directory spares.
	usual  holdings
	spare  int
	spares string
	// known is what interrupted runs left behind that was followed to the end.
	known map[string]bool
}

// bad puts a line that can break in front of a server: lab.Faults or lab.RawFaults.
type bad func(testing.TB, lab.Upstream) *lab.FaultProxy

// listen plays the scene undisturbed and returns what was said over the line.
func listen(t *testing.T, s scene.Scene, m mask, line bad) *conversation {
	t.Helper()
	hide := m.hide
	if s.Name == "flags" {
		// The stage takes what is marked deleted for removed where the server
		// has no UIDPLUS, and the scene marks a message.
		hide = slices.DeleteFunc(slices.Clone(hide), func(name string) bool { return name == "UIDPLUS" })
	}
	c := &conversation{account: newAccount(t, s, hide, line), scene: s, mask: m, known: make(map[string]bool)}
	c.before = c.Snapshot()
	c.line.Behave(lab.Behaviour{Record: true})
	c.clean = c.rest()
	for _, w := range ways() {
		c.stream[w.direction] = c.line.Passed(0, w.direction)
		if len(c.stream[w.direction]) == 0 {
			t.Fatalf("the undisturbed run said nothing %s", w.name)
		}
	}
	s.Check(c.Stage)
	c.usual, c.spares = c.held(), t.TempDir()
	return c
}

// inStep reports whether the program would end with success.
func inStep(r engine.Report) bool { return r.Quiet && len(r.Problems)+len(r.Holds) == 0 }

// suffer plays the scene up to the end of the run that is interrupted, and checks
// what it says. follow says whether to go on from what is known already.
func (c *conversation) suffer(t testing.TB, x cut, follow func() bool) {
	c.TB, c.Server = t, c.Server.On(t)
	c.Restore(c.before)
	total, claimed := c.interrupted(x)
	if x.how.action == lab.Late {
		// What has arrived since then has not been described.
		c.finish(total, claimed)
		return
	}
	left := fmt.Sprintf("in step %v, done %+v\n%s", claimed, total, c.left)
	if !c.known[left] || follow() {
		c.known[left] = true
		c.finish(total, claimed)
	}
}

// interrupted runs over a line that breaks, until it has broken as often as it
// should. It returns what the runs did and whether the last one claimed that both
// sides are in step.
func (c *conversation) interrupted(x cut) (total engine.Counts, claimed bool) {
	first := len(c.line.Conns())
	breaking := lab.Behaviour{Faults: []lab.Fault{{Direction: x.way.direction, After: x.at, Action: x.how.action}}}
	c.line.Script(func(conn int) lab.Behaviour {
		if conn >= first+x.again {
			return lab.Behaviour{}
		}
		return breaking
	})
	silent := x.how.action == lab.Stall || x.how.action == lab.Late
	c.late, c.watch = x.how.action == lab.Late, x.how.action != lab.Late
	if silent {
		c.patience = stallPatience
	}
	for range x.again {
		report, err := c.run()
		c.innocent(report, err)
		total, claimed = add(total, report.Counts), err == nil && inStep(report)
		if len(c.line.Conns()) >= first+x.again {
			break
		}
	}
	c.late, c.watch, c.patience = false, false, 0
	c.line.Behave(lab.Behaviour{})
	c.line.Release()
	c.Quiesce()
	return total, claimed
}

// TestCut: wherever the line breaks, in whichever way, nothing is lost and nothing
// doubled, not even where the server does not tell the UID of what it has taken.
// When it goes silent the program's own deadlines end the run.
func TestCut(t *testing.T) {
	random := newRandom(t)
	for _, name := range scenes() {
		servers := masks()
		if drawn() && *maskFlag == "" {
			// A few draws need not be of all servers.
			servers = draw(random, servers, 1)
		}
		for _, m := range servers {
			if !wanted(sceneFlag, name) || !wanted(maskFlag, m.name) {
				continue
			}
			t.Run(name+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				c := listen(t, sceneOf(t, name), m, lab.Faults)
				random := newRandom(t)
				c.play(t, c.chosen(random, endings()), random)
			})
		}
	}
}

// oneIn is how many places that leave behind what is known already there are to
// one that is followed to the end all the same.
const oneIn = 20

// play tries all cuts and reports those that went wrong.
func (c *conversation) play(t *testing.T, cuts []cut, random *rand.Rand) {
	t.Helper()
	follow := func() bool { return drawn() || random.IntN(oneIn) == 0 }
	failures := 0
	for _, x := range cuts {
		failure := try(t, func(t testing.TB) { c.suffer(t, x, follow) })
		if failure == "" {
			continue
		}
		test, _, _ := strings.Cut(t.Name(), "/")
		t.Errorf("%s:\n%s\nplay it again with\n%s", x, failure, c.replay(test, x))
		if failures++; failures == failuresMax {
			t.Fatal("that is enough")
		}
	}
	t.Logf("%d cuts of a conversation of %d bytes up and %d down, which left behind %d different things and %d copies to spare in the hold area",
		len(cuts), len(c.stream[lab.ToServer]), len(c.stream[lab.ToClient]), len(c.known), c.spare)
}
