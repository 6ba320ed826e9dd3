package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// refused is a NO to one command.
func refused(scope state.Scope, cause state.Cause, doing string) error {
	return &state.Error{Scope: scope, Cause: cause, Doing: state.Text(doing), Err: errors.New("NO")}
}

// TestRefuseAtEveryStep lets the server answer NO to every command of every
// scenario, one at a time, and expects the same end as without it once the
// server does its work again.
func TestRefuseAtEveryStep(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			for n := 1; n <= stepsMax; n++ {
				var at sim.Step
				ok := t.Run(fmt.Sprintf("step %d", n), func(t *testing.T) {
					f := newFixture(t, sim.ServerOptions{})
					f.interruptAt = n
					f.interrupted = func(s sim.Step) {
						at, f.interruptWith = s, nil
						if strings.HasPrefix(s.Op, "remote.") && !s.After && s.Op != "remote.connect" && s.Op != "remote.list" {
							f.interruptWith = refused(state.ScopeMailbox, state.CauseRefused, s.Op)
						}
					}
					s.run(f)
				})
				if !ok {
					t.Fatalf("went wrong after a NO to %s %s", at.Op, at.Subject)
				}
				if at.Op == "" {
					return
				}
			}
			t.Fatalf("the scenario did not end within %d steps", stepsMax)
		})
	}
}

// TestRefusedMessagesStopNobody: a server that cannot read some of its messages
// says NO to them. All others arrive, the first time or, when it looks as if
// none could be had, as soon as the refused ones have been set aside.
func TestRefusedMessagesStopNobody(t *testing.T) {
	for _, scope := range []state.Scope{state.ScopeMessage, state.ScopeMailbox} {
		for _, bad := range []int{1, 3, 5} {
			t.Run(fmt.Sprintf("%d at %s scope", bad, scope), func(t *testing.T) {
				f := newFixture(t, sim.ServerOptions{})
				f.deliver("INBOX", tokens(bad)...)
				f.deliver("INBOX", "good", "better")
				f.world.SetFault(func(s sim.Step) error {
					for uid := 1; uid <= bad; uid++ {
						if s.Op == "remote.fetch" && s.Subject == fmt.Sprintf("INBOX/%d", uid) && !s.After {
							return refused(scope, state.CauseRefused, "fetch "+s.Subject)
						}
					}
					return nil
				})
				if report := f.sync(); len(report.Problems) == 0 {
					t.Error("nothing was reported")
				}
				f.sync()
				if got, want := f.local(), []string{"INBOX/better:", "INBOX/good:"}; !slices.Equal(got, want) {
					t.Fatalf("the tree has %q, want %q", got, want)
				}
				f.world.SetFault(nil)
				f.world.Advance(2 * 60 * 60)
				f.clean()
				f.expect(f.remote()...)
			})
		}
	}
}

// TestAnotherGenerationIsNoFaultOfAMessage: a mailbox that was renumbered
// while it was read must not have its messages set aside one by one.
func TestAnotherGenerationIsNoFaultOfAMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" {
			return refused(state.ScopeMailbox, state.CauseGeneration, "fetch")
		}
		return nil
	})
	f.sync()
	waiting, err := f.store.Waiting(t.Context())
	if err != nil || len(waiting) > 0 {
		t.Errorf("set aside were %+v, error %v; want none", waiting, err)
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:")
}

// TestRefusedMailboxIsNotKnown: a mailbox that was never made would look like
// one that was deleted on the server, and its folder would be held.
func TestRefusedMailboxIsNotKnown(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.clean()
	f.tree.AddFolder("Work")
	f.put("Work", "", "a")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.create" {
			return refused(state.ScopeMailbox, state.CauseRefused, "create")
		}
		return nil
	})
	for range 2 {
		report := f.sync()
		if len(report.Problems) != 1 || len(report.Holds) != 0 {
			t.Errorf("problems are %+v and holds %+v, want one problem", report.Problems, report.Holds)
		}
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("Work/a:")
}

// TestRefusedEditKeepsItsBase: the server takes the older version for the
// message, so it must neither be forgotten nor come back as a new one.
func TestRefusedEditKeepsItsBase(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{MessageBytesMax: 300})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b", "c")
	f.clean()
	edited := string(body("a2")) + strings.Repeat("x\r\n", 400)
	f.tree.EditFile("Drafts", f.key("Drafts", "a"), []byte(strings.ReplaceAll(edited, "\r\n", "\n")))
	report := f.sync()
	if len(report.Problems) != 1 || report.Problems[0].Mailbox != "Drafts" {
		t.Errorf("problems are %+v, want one", report.Problems)
	}
	want := []string{"Drafts/a2:", "Drafts/b:", "Drafts/c:"}
	if got := f.local(); !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
	before := len(f.server.Commands())
	f.sync()
	if more := f.server.Commands()[before:]; len(more) > 0 {
		t.Errorf("before its time has come, the server was asked %q", more)
	}
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 0 })
	f.world.Advance(2 * 60 * 60)
	f.clean()
	f.expect(want...)
}

// TestRefusedRemovalLeavesAListedCopy: the copy of a message that the server
// then does not remove must not lie in the hold area without being listed.
func TestRefusedRemovalLeavesAListedCopy(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Trash", "x")
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b")
	f.clean()
	f.edit("Drafts", "a", "a2")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.expunge" && !s.After {
			return refused(state.ScopeMailbox, state.CauseRefused, "expunge")
		}
		return nil
	})
	f.sync()
	if listed, lying := len(f.store.Held()), len(f.tree.Held()); listed == 0 || listed != lying {
		t.Errorf("%d copies are listed, %d lie in the hold area", listed, lying)
	}
	f.world.SetFault(nil)
	report := f.clean()
	if n := report.Counts.RemovedRemote; n != 0 {
		t.Errorf("%d messages count as removed; a superseded version is none", n)
	}
	f.expect("Drafts/a2:", "Drafts/b:", "Trash/x:")
}

// TestNothingIsRemovedUnseen: what is removed for good is kept first, and what
// cannot be fetched cannot be kept.
func TestNothingIsRemovedUnseen(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b")
	f.clean()
	uid := f.uid("Drafts", "a")
	f.edit("Drafts", "a", "a2")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" && s.Subject == fmt.Sprintf("Drafts/%d", uid) {
			return refused(state.ScopeMessage, state.CauseRefused, "fetch")
		}
		return nil
	})
	if report := f.sync(); len(report.Problems) == 0 {
		t.Error("nothing was reported")
	}
	f.uid("Drafts", "a") // still there
	f.world.SetFault(nil)
	f.clean()
	f.expect("Drafts/a2:", "Drafts/b:")
}

// TestRefusedMessageCostsNoConnections: fetching the others one by one must not
// mean one login for each of them.
func TestRefusedMessageCostsNoConnections(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Connections = 1 }
	f.deliver("INBOX", tokens(50)...)
	connections := 0
	f.world.SetFault(func(s sim.Step) error {
		switch {
		case s.Op == "remote.connect":
			connections++
		case s.Op == "remote.fetch" && s.Subject == "INBOX/20" && !s.After:
			return refused(state.ScopeMailbox, state.CauseRefused, "fetch UID 20")
		}
		return nil
	})
	f.sync()
	if got := len(f.local()); got != 49 || connections != 1 {
		t.Errorf("%d messages arrived over %d connections, want 49 over one", got, connections)
	}
}

// TestKeywordsOfAnUploadWait: a message was uploaded again, and the server would not take
// keywords just then. Of one that the file had no letter for nobody knew any more.
func TestKeywordsOfAnUploadWait(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.tag("INBOX", "a", state.Seen, "old")
	f.clean()
	f.server.Expunge("INBOX", f.uid("INBOX", "a"))
	f.mark("INBOX", "a", f.letters("FS", "mine"))
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.keywords" {
			return refusal(s.Op)
		}
		return nil
	})
	if report := f.sync(); report.Counts.Uploaded != 1 || len(report.Problems) == 0 {
		t.Errorf("counts are %+v, the problems are %+v", report.Counts, report.Problems)
	}
	f.world.SetFault(nil)
	f.clean()
	f.world.Advance(day)
	f.clean()
	f.expect("INBOX/a:FS[mine old]", "INBOX/b:")
}

// TestRemovalsBesideARefusedFile: a file that the server refuses for ever is set aside,
// and removals in its mailbox go on. Where the mailbox takes no file at all they wait: any
// of the files may be a newer version of a message that is gone.
func TestRemovalsBesideARefusedFile(t *testing.T) {
	for scope, want := range map[state.Scope][]string{
		state.ScopeMessage: {"INBOX/b:", "INBOX/c:", "Trash/a:"},
		state.ScopeMailbox: {"INBOX/a:", "INBOX/b:", "INBOX/c:"},
	} {
		f := newFixture(t, sim.ServerOptions{})
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.put("INBOX", "", "refused")
		f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
		f.world.SetFault(func(s sim.Step) error {
			if s.Op == "remote.append" && !s.After {
				return refused(scope, state.CauseReadOnly, "append")
			}
			return nil
		})
		for range 3 {
			f.sync()
		}
		if !slices.Equal(f.remote(), want) {
			t.Errorf("scope %d: the server has %q, want %q", scope, f.remote(), want)
		}
		f.world.SetFault(nil)
		f.world.Advance(2 * 60 * 60)
		f.clean()
		f.expect("INBOX/b:", "INBOX/c:", "INBOX/refused:", "Trash/a:")
	}
}
