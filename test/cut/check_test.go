package cut

import (
	"mailmoor/engine"
	"mailmoor/state"
)

// innocent checks what the run says that was interrupted: it may fail, by the
// network alone, and no message is to blame.
func (c *conversation) innocent(report engine.Report, err error) {
	if err != nil && (state.CauseOf(err) != state.CauseNetwork || state.ScopeOf(err) != state.ScopeAccount) {
		c.Errorf("the interrupted run ended with %v (cause %d, %s), want an error of the network",
			err, state.CauseOf(err), state.ScopeOf(err))
	}
	for _, p := range report.Problems {
		if p.Scope == state.ScopeMessage || p.Cause != state.CauseNetwork {
			c.Errorf("the interrupted run reports %+v", p)
		}
	}
	if len(report.Holds) > 0 {
		c.Errorf("the interrupted run holds %+v", report.Holds)
	}
}

// restMax is how many undisturbed runs may be needed to come to rest.
const restMax = 5

// finish runs until both sides are in step and checks everything. All runs together must not claim to
// have done more than undisturbed ones do, which would mean that something was
// done twice or was not done when it was claimed; and nothing may be left to do
// when the interrupted run has claimed that nothing was.
func (c *conversation) finish(total engine.Counts, claimed bool) {
	if claimed {
		if next := c.quietly(); next.Counts != (engine.Counts{}) {
			c.Errorf("the interrupted run claimed that both sides were in step, and the next one did %+v", next.Counts)
		}
	} else {
		total = add(total, c.rest())
	}
	c.notMore(total)
	c.putAside()
	c.scene.Check(c.Stage)
}

// rest runs until both sides are in step, and returns what the runs did.
func (c *conversation) rest() engine.Counts {
	var total engine.Counts
	for range restMax {
		report := c.quietly()
		total = add(total, report.Counts)
		if inStep(report) {
			return total
		}
	}
	c.Fatalf("%d runs were not enough to come to rest", restMax)
	return total
}

// quietly runs undisturbed and expects that there is nothing to complain about.
func (c *conversation) quietly() engine.Report {
	report, err := c.run()
	c.must(err)
	if len(report.Problems)+len(report.Holds) > 0 {
		c.Errorf("an undisturbed run reports %+v, %+v", report.Problems, report.Holds)
	}
	return report
}

// add returns the sums.
func add(a, b engine.Counts) engine.Counts {
	a.Downloaded += b.Downloaded
	a.Uploaded += b.Uploaded
	a.FlagsLocal += b.FlagsLocal
	a.FlagsRemote += b.FlagsRemote
	a.MovedLocal += b.MovedLocal
	a.MovedRemote += b.MovedRemote
	a.RemovedLocal += b.RemovedLocal
	a.RemovedRemote += b.RemovedRemote
	a.NewFolders += b.NewFolders
	a.NewMailboxes += b.NewMailboxes
	return a
}

// notMore checks that no more was done than in an undisturbed run.
func (c *conversation) notMore(total engine.Counts) {
	for name, n := range map[string][2]int{
		"Downloaded": {total.Downloaded, c.clean.Downloaded}, "Uploaded": {total.Uploaded, c.clean.Uploaded},
		"FlagsLocal": {total.FlagsLocal, c.clean.FlagsLocal}, "FlagsRemote": {total.FlagsRemote, c.clean.FlagsRemote},
		"MovedLocal": {total.MovedLocal, c.clean.MovedLocal}, "MovedRemote": {total.MovedRemote, c.clean.MovedRemote},
		"RemovedLocal": {total.RemovedLocal, c.clean.RemovedLocal}, "RemovedRemote": {total.RemovedRemote, c.clean.RemovedRemote},
		"NewFolders": {total.NewFolders, c.clean.NewFolders}, "NewMailboxes": {total.NewMailboxes, c.clean.NewMailboxes},
	} {
		if n[0] > n[1] {
			c.Errorf("all runs together claim %s %d times; undisturbed it is %d", name, n[0], n[1])
		}
	}
}
