package sim_test

import (
	"mailmoor/engine"
	"mailmoor/test/sim"
)

// What the conformance suites cannot say: the fakes have the type of the ports.
var (
	_ engine.LocalTree = (*sim.Tree)(nil)
	_ engine.Store     = (*sim.Store)(nil)
)
