package engine_test

import (
	"fmt"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/sim"
)

// What breaks rules, or goes to their limits, is stored by servers in other bytes than it
// was sent, each in its own way.

// eachOdd runs a test for every server that test/lab can run and every odd message that
// it takes.
func eachOdd(t *testing.T, test func(t *testing.T, f *fixture, odd corpus.Odd)) {
	t.Helper()
	for _, storage := range corpus.Storages() {
		for _, odd := range corpus.Oddities() {
			if storage.Store(odd.Body) != nil {
				t.Run(fmt.Sprintf("%s, %s", storage.Name, odd.Name), func(t *testing.T) {
					f := newFixture(t, sim.ServerOptions{Stored: storage.Store})
					f.deliver("INBOX", "other")
					f.clean()
					test(t, f, odd)
				})
			}
		}
	}
}

// putOdd adds a file to INBOX, as a program would that does not know the rules.
func (f *fixture) putOdd(odd corpus.Odd) state.Key {
	return f.tree.PutFile("INBOX", sim.File{Data: odd.Body, Date: start - 500})
}

// untransferred checks that nothing was brought to a side, taken from it or held.
func (f *fixture) untransferred(what string, r engine.Report) {
	f.t.Helper()
	c := r.Counts
	if c.Downloaded+c.Uploaded+c.RemovedLocal+c.RemovedRemote+c.Lost != 0 || len(r.Problems)+len(r.Holds) > 0 {
		f.t.Errorf("%s: counts are %+v, problems %+v, holds %+v", what, c, r.Problems, r.Holds)
	}
}

// has checks how many messages both sides have in these places, and that a run finds
// nothing to do.
func (f *fixture) has(want map[string]int) {
	f.t.Helper()
	for name, n := range want {
		if remote, local := len(f.server.Messages(name)), len(f.tree.Files(name)); remote != n || local != n {
			f.t.Errorf("%s has %d messages on the server and %d in the tree, want %d", name, remote, local, n)
		}
	}
	f.idle()
}

// TestOddWithoutState: such a message was there twice on both sides after the state had
// been lost: the server's was new to the tree, and the file to the server.
func TestOddWithoutState(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		f.putOdd(odd)
		f.clean()
		f.has(map[string]int{"INBOX": 2})
		for range 2 {
			f.store = sim.NewStore(f.world)
			report := f.clean()
			f.untransferred("without the state", report)
			if report.Counts.Paired != 2 {
				f.t.Errorf("%d messages were paired, want 2", report.Counts.Paired)
			}
		}
		f.has(map[string]int{"INBOX": 2})
	})
}

// TestOddFromServer: what came from a server is recognised as well.
func TestOddFromServer(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		f.server.Append("INBOX", sim.Message{Date: start - 500, Body: odd.Body})
		f.clean()
		f.store = sim.NewStore(f.world)
		f.untransferred("without the state", f.clean())
		f.has(map[string]int{"INBOX": 2})
	})
}

// TestOddTwins: of several that are equal, each is found again after the server has
// renumbered them, under whatever date.
func TestOddTwins(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		for range 3 {
			f.putOdd(odd)
		}
		f.clean()
		f.server.ResetUIDValidity("INBOX")
		f.untransferred("renumbered", f.clean())
		f.has(map[string]int{"INBOX": 4})
		f.store = sim.NewStore(f.world)
		f.untransferred("without the state", f.clean())
		f.has(map[string]int{"INBOX": 4})
	})
}

// TestOddUnanswered: the line broke after the server had taken the message. It was
// uploaded once more, because what the server showed was not what had been sent.
func TestOddUnanswered(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		f.putOdd(odd)
		f.putOdd(odd)
		f.world.SetFault(func(s sim.Step) error {
			if s.Op == "remote.append" && s.After {
				return sim.ErrKilled
			}
			return nil
		})
		_, _ = f.run() // it ends there
		f.world.SetFault(nil)
		f.world.Restart()
		f.clean()
		f.has(map[string]int{"INBOX": 3})
	})
}

// TestOddMoved: another client moves the message, or brings it to another mailbox anew.
func TestOddMoved(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		f.putOdd(odd)
		f.clean()
		messages := f.server.Messages("INBOX")
		f.server.Move("INBOX", messages[len(messages)-1].UID, "Archive")
		f.untransferred("moved", f.clean())
		m := f.server.Messages("Archive")[0]
		f.server.Expunge("Archive", m.UID)
		f.server.Append("INBOX", sim.Message{Date: f.world.Now(), Body: m.Body})
		f.untransferred("brought back", f.clean())
		f.has(map[string]int{"INBOX": 2, "Archive": 0})
	})
}

// TestOddCopied: another client copied the message, and removed it where it was only after
// the copy had come here, in the server's bytes. What was flagged here meanwhile was uploaded
// again: the file that it came from and the copy were not the same.
func TestOddCopied(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		key := f.putOdd(odd)
		f.clean()
		messages := f.server.Messages("INBOX")
		m := messages[len(messages)-1]
		f.server.Append("Archive", sim.Message{Date: m.Date, Body: m.Body})
		f.clean()
		f.tree.SetLetters("INBOX", key, "F")
		f.server.Expunge("INBOX", m.UID)
		if c := f.clean().Counts; c.Uploaded != 0 || c.RemovedLocal != 1 {
			f.t.Errorf("counts are %+v, want the file removed", c)
		}
		f.has(map[string]int{"INBOX": 1, "Archive": 1})
	})
}

// TestOddDeleted: what is deleted here goes to Trash, once.
func TestOddDeleted(t *testing.T) {
	eachOdd(t, func(_ *testing.T, f *fixture, odd corpus.Odd) {
		key := f.putOdd(odd)
		f.clean()
		f.tree.DeleteFile("INBOX", key)
		if c := f.clean().Counts; c.RemovedRemote != 1 {
			f.t.Errorf("counts are %+v, want one message removed", c)
		}
		f.has(map[string]int{"INBOX": 1, "Trash": 1})
	})
}

// TestOddKilledAtTheSameStep: a run that looks for its uploads in parts, because it may not
// live long, recognises in each part what the server has stored in other bytes. Where that
// was left for the end, none of these runs came to it.
func TestOddKilledAtTheSameStep(t *testing.T) {
	const n = 40
	const runsMax = 4 * n
	for _, storage := range corpus.Storages() {
		if storage.Store([]byte("Subject: a\r\n\r\na\r\r\n")) == nil {
			continue
		}
		for _, steps := range []int{80, 95} {
			t.Run(fmt.Sprintf("%s, after %d steps", storage.Name, steps), func(t *testing.T) {
				f := newFixture(t, sim.ServerOptions{Stored: storage.Store})
				f.deliver("INBOX", tokens(3*n)...)
				f.clean()
				for i := range n {
					body := fmt.Appendf(nil, "Subject: number %d\r\n\r\nText\r\r\nand \rmore", i)
					f.putOdd(corpus.Odd{Body: body})
				}
				f.world.SetFault(func(s sim.Step) error {
					if s.Op == "store.settle" && len(f.server.Messages("INBOX")) == 4*n {
						return sim.ErrKilled // with all uploads on their way
					}
					return nil
				})
				_, _ = f.run()
				f.world.SetFault(nil)
				f.world.Restart()
				f.opts = func(o *engine.Options) { o.Interrupted = true }
				for runs := 0; f.interruptedAfter(steps) != nil; runs++ {
					if runs == runsMax {
						t.Fatalf("after %d runs the server has %d messages", runs, len(f.server.Messages("INBOX")))
					}
				}
				f.has(map[string]int{"INBOX": 4 * n})
			})
		}
	}
}
