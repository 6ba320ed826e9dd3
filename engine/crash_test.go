package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"mailmoor/test/sim"
)

// stepsMax bounds the steps of one run that are tried; no scenario comes near.
const stepsMax = 2000

// TestKillAtEveryStep kills every scenario's runs at every step, before and
// after each effect, lets a new process clear up, and expects the same end as
// without the kill.
func TestKillAtEveryStep(t *testing.T) {
	servers := map[string]sim.ServerOptions{
		"full":       {},
		"no UIDPLUS": {NoUIDPlus: true},
		"no MOVE":    {NoMove: true},
		"neither":    {NoMove: true, NoUIDPlus: true},
		"lands late": {LandAfterLoss: true},
	}
	for server, options := range servers {
		t.Run(server, func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) { interruptEverywhere(t, options, s.run, sim.ErrKilled) })
			}
		})
	}
}

// TestBreakAtEveryStep does the same with connections that break instead.
func TestBreakAtEveryStep(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			interruptEverywhere(t, sim.ServerOptions{}, s.run, errors.New("connection reset"))
		})
	}
}

// interruptEverywhere repeats the scenario with an interruption at step 1, 2,
// 3, ... of each of its runs, until no run has that many steps.
func interruptEverywhere(t *testing.T, options sim.ServerOptions, scenario func(*fixture), with error) {
	for n := 1; n <= stepsMax; n++ {
		reached := false
		t.Run(fmt.Sprintf("step %d", n), func(t *testing.T) {
			f := newFixture(t, options)
			f.interruptAt, f.interruptWith = n, with
			f.interrupted = func(sim.Step) { reached = true }
			scenario(f)
		})
		if t.Failed() {
			t.Fatalf("stopped at the first step that went wrong: %d", n)
		}
		if !reached {
			if n < 10 {
				t.Fatalf("only %d steps were interrupted: the scenario does nothing", n-1)
			}
			return
		}
	}
	t.Fatalf("the scenario did not end within %d steps", stepsMax)
}
