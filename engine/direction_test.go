package engine_test

import (
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// unequal is an account in step, of which then every kind of change is made on
// both sides; only one direction travels.
func unequal(t *testing.T, d plan.Direction) *fixture {
	t.Helper()
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "flag here", "flag there", "delete here", "delete there", "move here", "move there", "stay")
	f.deliver("Archive", "old")
	f.clean()
	f.opts = func(o *engine.Options) { o.Direction = d }
	f.tree.SetLetters("INBOX", f.key("INBOX", "flag here"), "F")
	f.server.SetFlags("INBOX", f.uid("INBOX", "flag there"), state.Seen)
	f.tree.DeleteFile("INBOX", f.key("INBOX", "delete here"))
	f.server.Expunge("INBOX", f.uid("INBOX", "delete there"))
	f.tree.MoveFile("INBOX", f.key("INBOX", "move here"), "Archive", sim.MoveOptions{})
	f.server.Move("INBOX", f.uid("INBOX", "move there"), "Archive")
	f.put("INBOX", "", "new here")
	f.deliver("INBOX", "new there")
	f.tree.AddFolder("Local")
	f.server.CreateMailbox("Remote", state.RoleNone)
	return f
}

// stays runs a few times and expects that one side keeps what it has, that both
// come to these ends, and that it is told how much did not travel.
func (f *fixture) stays(remote, local []string) {
	f.t.Helper()
	for range 3 {
		if r := f.clean(); r.Kept == 0 {
			f.t.Error("nothing is said to have stayed on its side")
		}
	}
	slices.Sort(remote)
	slices.Sort(local)
	if got := f.remote(); !slices.Equal(got, remote) {
		f.t.Errorf("the server has\n%q, want\n%q", got, remote)
	}
	if got := f.local(); !slices.Equal(got, local) {
		f.t.Errorf("the tree has\n%q, want\n%q", got, local)
	}
	commands, changes := len(f.server.Commands()), len(f.tree.Changes())
	f.sync()
	if len(f.server.Commands()) > commands || len(f.tree.Changes()) > changes {
		f.t.Errorf("a run with nothing to do sent %q and did %q", f.server.Commands()[commands:], f.tree.Changes()[changes:])
	}
}

func TestPull(t *testing.T) {
	f := unequal(t, plan.Pull)
	remote := f.remote()
	f.stays(remote, []string{
		"Archive/move here:", "Archive/move there:", "Archive/old:", "INBOX/flag here:F", "INBOX/flag there:S",
		"INBOX/new here:", "INBOX/new there:", "INBOX/stay:",
	})
	if slices.Contains(f.server.Mailboxes(), "Local") || !slices.Contains(f.tree.Paths(), "Remote") {
		t.Errorf("the server has the mailboxes %q, the tree the folders %q", f.server.Mailboxes(), f.tree.Paths())
	}
}

func TestPush(t *testing.T) {
	f := unequal(t, plan.Push)
	local := f.local()
	f.stays([]string{
		"Archive/move here:", "Archive/move there:", "Archive/old:", "INBOX/flag here:F", "INBOX/flag there:S",
		"INBOX/new here:", "INBOX/new there:", "INBOX/stay:", "Trash/delete here:",
	}, local)
	if !slices.Contains(f.server.Mailboxes(), "Local") || slices.Contains(f.tree.Paths(), "Remote") {
		t.Errorf("the server has the mailboxes %q, the tree the folders %q", f.server.Mailboxes(), f.tree.Paths())
	}
}

// TestDirectionWidened: what stayed on its side travels once both directions are
// wanted, and neither side has forgotten anything.
func TestDirectionWidened(t *testing.T) {
	for _, d := range []plan.Direction{plan.Pull, plan.Push} {
		f := unequal(t, d)
		f.clean()
		f.clean()
		f.opts = nil
		f.clean()
		f.clean()
		f.expect("Archive/move here:", "Archive/move there:", "Archive/old:", "INBOX/flag here:F", "INBOX/flag there:S",
			"INBOX/new here:", "INBOX/new there:", "INBOX/stay:", "Trash/delete here:")
	}
}

// TestReach: what is too large or too old stays on the server, until more is
// wanted; and nothing happens to it meanwhile.
func TestReach(t *testing.T) {
	const day = 24 * 60 * 60
	for name, c := range map[string]struct {
		reach plan.Reach
		far   sim.Message
	}{
		"too large": {plan.Reach{SizeMax: 1000}, sim.Message{Date: start, Body: append(body("far"), make([]byte, 2000)...)}},
		"too old":   {plan.Reach{AgeMax: 30 * day}, sim.Message{Date: start - 31*day, Body: body("far")}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			f.opts = func(o *engine.Options) { o.Reach = c.reach }
			f.server.Append("INBOX", sim.Message{Date: start, Body: body("near")})
			f.server.Append("INBOX", c.far)
			f.server.Append("INBOX", c.far)
			f.clean()
			if got := f.local(); !slices.Equal(got, []string{"INBOX/near:"}) {
				t.Errorf("the tree has %q, want only what is near", got)
			}
			f.server.SetFlags("INBOX", f.uid("INBOX", "far"), state.Seen)
			f.server.Expunge("INBOX", f.uid("INBOX", "far"))
			f.clean()
			f.idle()
			if got := f.remote(); len(got) != 2 {
				t.Errorf("the server has %q, want what is near and one that is not", got)
			}
			f.opts = nil
			if n := f.clean().Counts.Downloaded; n != 1 {
				t.Errorf("%d messages were downloaded, want the one that was out of reach", n)
			}
			f.expect("INBOX/far:", "INBOX/near:")
			// What is on both sides already stays there.
			f.opts = func(o *engine.Options) { o.Reach = c.reach }
			f.clean()
			f.expect("INBOX/far:", "INBOX/near:")
			f.tree.DeleteFile("INBOX", f.key("INBOX", "far"))
			f.clean()
			if got := f.remote(); !slices.Equal(got, []string{"INBOX/near:", "Trash/far:"}) {
				t.Errorf("the server has %q, want the message in Trash", got)
			}
		})
	}
}
