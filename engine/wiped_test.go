package engine_test

import (
	"fmt"
	"testing"

	"mailmoor/test/sim"
)

// TestWipedBesideAMove: a message was moved into a mailbox, and all of it was deleted on the
// server before that had been shown once. One of the others, which was flagged here, was
// brought back alone; then the mailbox was not empty any more, and all that were missing went
// from here without a question.
func TestWipedBesideAMove(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	var all []string
	for i := range 30 {
		all = append(all, fmt.Sprintf("m%d", i))
	}
	f.deliver("Archive", all...)
	f.deliver("INBOX", "moved")
	f.clean()
	f.world.Advance(day)
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "moved"), "Archive", sim.MoveOptions{})
	f.sync()
	for _, token := range append(all, "moved") {
		f.server.Expunge("Archive", f.uid("Archive", token))
	}
	f.mark("Archive", "m3", "F")
	if report := f.sync(); report.Counts.Uploaded+report.Counts.RemovedLocal != 0 {
		t.Errorf("at once: %+v", report.Counts)
	}
	f.world.Advance(20 * 60)
	report := f.sync()
	if hold(t, report); report.Counts.RemovedLocal != 0 {
		t.Errorf("later: %+v", report.Counts)
	}
}
