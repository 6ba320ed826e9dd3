package engine_test

import (
	"errors"
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestBodyThatCannotBeRead: a body is needed to tell which message it is, and the server does
// not give it, in one way or another. The whole mailbox waited in every run, and so did all
// removals of the account. Only what may be that message waits now.
func TestBodyThatCannotBeRead(t *testing.T) {
	for name, failure := range map[string]error{
		"refused":           &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseRefused, Doing: "fetch", Err: errors.New("NO")},
		"broken":            &state.Error{Scope: state.ScopeMessage, Cause: state.CauseOther, Doing: "fetch", Err: errors.New("5 bytes of 500")},
		"breaks connection": &state.Error{Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: "fetch", Err: errors.New("BYE")},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			f.deliver("INBOX", "flag", "gone here", "gone there")
			f.deliver("Archive", "delete", "keep")
			f.clean()
			// One message twice on the server and once in the tree: only bodies pair them.
			f.deliver("INBOX", "twin", "twin", "new")
			f.put("INBOX", "", "twin")
			f.put("INBOX", "", "mine")
			f.server.SetFlags("INBOX", f.uid("INBOX", "flag"), state.Flagged)
			f.tree.DeleteFile("INBOX", f.key("INBOX", "gone here"))
			f.server.Expunge("INBOX", f.uid("INBOX", "gone there"))
			f.tree.DeleteFile("Archive", f.key("Archive", "delete"))
			f.world.SetFault(func(s sim.Step) error {
				if s.Op == "remote.fetch" && s.Subject == "INBOX/4" && !s.After {
					return failure
				}
				return nil
			})
			report := f.sync()
			if !slices.ContainsFunc(report.Problems, func(p state.Problem) bool {
				return p.Subject == "UID 4" && p.Mailbox == "INBOX" && p.Weight == state.WeightLasting && p.Hint != ""
			}) {
				t.Errorf("problems are %+v, want one about UID 4", report.Problems)
			}
			f.sync()
			want := []string{"Archive/keep:", "INBOX/flag:F", "INBOX/mine:", "INBOX/new:", "Trash/delete:", "Trash/gone here:"}
			for side, got := range map[string][]string{"server": f.remote(), "tree": f.local()} {
				got = slices.DeleteFunc(got, func(m string) bool { return m == "INBOX/twin:" })
				if !slices.Equal(got, want) {
					t.Errorf("the %s has %q beside the twins, want %q", side, got, want)
				}
			}
			f.world.SetFault(nil)
			f.clean()
			f.clean()
			f.expect(append(want, "INBOX/twin:", "INBOX/twin:")...)
		})
	}
}

// TestMovedMessageThatCannotBeRead: a message was moved on the server, and only its body would
// tell. Its file stays until the body can be read, and other removals go on.
func TestMovedMessageThatCannotBeRead(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "a", "b", "stay")
	f.clean()
	f.server.Append("Archive", sim.Message{Date: start, Body: append(body("a"), "X"...)})
	f.server.Expunge("INBOX", 1)
	f.server.Expunge("INBOX", f.uid("INBOX", "b"))
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" && s.Subject == "Archive/1" && !s.After {
			return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseRefused, Doing: "fetch", Err: errors.New("NO")}
		}
		return nil
	})
	for range 2 {
		f.sync()
		if got, want := f.local(), []string{"INBOX/a:", "INBOX/a:", "INBOX/stay:"}; !slices.Equal(got, want) {
			t.Errorf("the tree has %q, want %q", got, want)
		}
	}
	f.world.SetFault(nil)
	f.clean()
	f.clean()
	f.expect("Archive/a:", "INBOX/a:", "INBOX/stay:")
}

// TestBodyThatCannotBeKept: messages are to be removed for good, and the server does not give
// the body of one of them. That one stays; the others went neither, in any run.
func TestBodyThatCannotBeKept(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Expunge = true }
	f.deliver("INBOX", "a", "b", "c", "stay")
	f.clean()
	for _, token := range []string{"a", "b", "c"} {
		f.tree.DeleteFile("INBOX", f.key("INBOX", token))
	}
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" && s.Subject == "INBOX/2" && !s.After {
			return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseRefused, Doing: "fetch", Err: errors.New("NO")}
		}
		return nil
	})
	f.sync()
	report := f.sync()
	if got, want := f.remote(), []string{"INBOX/b:", "INBOX/stay:"}; !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	if len(report.Problems) != 1 || report.Problems[0].Subject != "UID 2" || report.Problems[0].Weight != state.WeightLasting {
		t.Errorf("problems are %+v, want one about UID 2 that lasts", report.Problems)
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("INBOX/stay:")
}
