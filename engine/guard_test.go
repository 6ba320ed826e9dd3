package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// full is an account in step with n messages in INBOX.
func full(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", tokens(n)...)
	f.clean()
	return f
}

func tokens(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("m%03d", i)
	}
	return list
}

// TestNothingIsLost plays the accidents that empty mail elsewhere. Each must
// end with all mail on the side that still has it, and with a hold or an error.
func TestNothingIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		accident func(*fixture)
		missing  state.Side
		whole    bool
	}{
		"the server's store vanishes":      {func(f *fixture) { f.server.WipeMailbox("INBOX") }, state.Remote, false},
		"the folder is emptied":            {func(f *fixture) { f.tree.EmptyFolder("INBOX") }, state.Local, false},
		"the folder is removed":            {func(f *fixture) { f.tree.RemoveFolder("INBOX") }, state.Local, true},
		"the mailbox is deleted elsewhere": {func(f *fixture) { f.server.DeleteMailbox("INBOX") }, state.Remote, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 5)
			remote, local := f.remote(), f.local()
			c.accident(f)
			if c.missing == state.Remote && c.whole {
				// A list without INBOX is not believed at all.
				if _, err := f.run(); err == nil {
					t.Error("a list without INBOX was believed")
				}
				if got := f.local(); !slices.Equal(got, local) {
					t.Errorf("the tree has %q, want %q", got, local)
				}
				return
			}
			for range 3 {
				report := f.sync()
				if len(report.Holds) != 1 || report.Holds[0].Missing != c.missing || report.Holds[0].Whole != c.whole {
					t.Fatalf("holds are %+v, want one for the %s side", report.Holds, c.missing)
				}
			}
			switch {
			case c.missing == state.Remote && !slices.Equal(f.local(), local):
				t.Errorf("the tree has %q, want %q", f.local(), local)
			case c.missing == state.Local && !slices.Equal(f.remote(), remote):
				t.Errorf("the server has %q, want %q", f.remote(), remote)
			}
		})
	}
}

func TestUnmountedRootStopsTheAccount(t *testing.T) {
	f := full(t, 3)
	before := f.remote()
	f.tree.SetMounted(false)
	_, err := f.run()
	if err == nil || state.ScopeOf(err) != state.ScopeAccount {
		t.Fatalf("error is %v, want one that stops the account", err)
	}
	if got := f.remote(); !slices.Equal(got, before) {
		t.Errorf("the server has %q, want %q", got, before)
	}
	f.tree.SetMounted(true)
	f.clean()
	f.expect(before...)
}

// hold returns the only hold of a run.
func hold(t *testing.T, r engine.Report) state.Hold {
	t.Helper()
	if len(r.Holds) != 1 {
		t.Fatalf("holds are %+v, want one", r.Holds)
	}
	return r.Holds[0]
}

func TestApprove(t *testing.T) {
	f := full(t, 5)
	f.tree.EmptyFolder("INBOX")
	f.store.Decide(hold(t, f.sync()).ID, state.Approved)
	f.clean()
	f.expect("Trash/m000:", "Trash/m001:", "Trash/m002:", "Trash/m003:", "Trash/m004:")
}

func TestReject(t *testing.T) {
	for name, accident := range map[string]func(*fixture){
		"the missing files come back":    func(f *fixture) { f.tree.EmptyFolder("INBOX") },
		"the missing messages come back": func(f *fixture) { f.server.WipeMailbox("INBOX") },
		"the missing folder comes back":  func(f *fixture) { f.tree.RemoveFolder("INBOX") },
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 3)
			accident(f)
			f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
			f.clean()
			f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
		})
	}
}

// TestHeldMailboxGoesOn states that a hold stops removals and nothing else.
func TestHeldMailboxGoesOn(t *testing.T) {
	f := full(t, 3)
	f.tree.EmptyFolder("INBOX")
	f.sync()
	f.deliver("INBOX", "new")
	f.put("INBOX", "S", "mine")
	f.sync()
	want := []string{"INBOX/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/mine:S", "INBOX/new:"}
	if got := f.remote(); !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	if got := f.local(); !slices.Equal(got, want[3:]) {
		t.Errorf("the tree has %q, want %q", got, want[3:])
	}
}

// TestHoldEndsWhenMessagesReappear: the disk was only away.
func TestHoldEndsWhenMessagesReappear(t *testing.T) {
	f := full(t, 3)
	files := f.tree.Files("INBOX")
	f.tree.EmptyFolder("INBOX")
	hold(t, f.sync())
	for _, file := range files {
		f.tree.PutFile("INBOX", file)
	}
	f.clean()
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

func TestRemovalForGoodKeepsTheBody(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Expunge = true }
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
	f.clean()
	f.expect("INBOX/b:", "INBOX/c:")
	held := f.tree.Held()
	if len(held) != 1 {
		t.Fatalf("the hold area has %q, want one file", held)
	}
	if file, _ := f.tree.HeldFile(held[0]); token(file.Data) != "a" {
		t.Errorf("the hold area has %q, want the body of a", file.Data)
	}
}

// TestServerRenumbers: a server lost its index and shows the same messages
// under new UIDs. Nothing is transferred or removed.
func TestServerRenumbers(t *testing.T) {
	f := full(t, 3)
	for _, token := range tokens(3) {
		f.server.Move("INBOX", f.uid("INBOX", token), "INBOX")
	}
	report := f.clean()
	if c := report.Counts; c.Downloaded+c.Uploaded+c.RemovedLocal+c.RemovedRemote != 0 {
		t.Errorf("counts are %+v, want nothing transferred or removed", c)
	}
	f.expect("INBOX/m000:", "INBOX/m001:", "INBOX/m002:")
}

// TestPoisonStopsNobody: one message at which the connection always breaks,
// and one file that the server refuses.
func TestPoisonStopsNobody(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{MessageBytesMax: 500})
	f.deliver("INBOX", "a", "poison", "b")
	f.tree.AddFolder("INBOX")
	f.put("INBOX", "", "small")
	big := f.put("INBOX", "", "big")
	f.tree.EditFile("INBOX", big, append(body("big"), make([]byte, 1000)...))
	poison := fmt.Sprint(f.uid("INBOX", "poison"))
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" && s.Subject == "INBOX/"+poison {
			return errors.New("connection reset")
		}
		return nil
	})
	report := f.sync()
	if len(report.Problems) != 2 {
		t.Errorf("problems are %+v, want one for each message", report.Problems)
	}
	for _, want := range []string{"INBOX/a:", "INBOX/b:", "INBOX/small:"} {
		if !slices.Contains(f.local(), want) || !slices.Contains(f.remote(), want) {
			t.Errorf("%s is not on both sides", want)
		}
	}
	f.idle()
	f.world.SetFault(nil)
	f.server.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = 0 })
	f.world.Advance(2 * 60 * 60)
	f.clean()
	if len(f.local()) != 5 || len(f.remote()) != 5 {
		t.Errorf("after the back-off the sides have %q and %q", f.local(), f.remote())
	}
}

// TestUnreadableFileIsReported: a file that cannot be read is neither uploaded
// nor taken for deleted, so its owner has to hear of it as long as that lasts.
func TestUnreadableFileIsReported(t *testing.T) {
	for name, choose := range map[string]func(*fixture) state.Key{
		"a new one":   func(f *fixture) state.Key { return f.put("INBOX", "", "mine") },
		"a known one": func(f *fixture) state.Key { return f.key("INBOX", "m000") },
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 2)
			key := choose(f)
			f.tree.SetUnreadable("INBOX", key, true)
			f.world.Advance(25 * 60 * 60)
			for range 3 {
				f.deliver("Archive", "other")
				report := f.sync()
				if len(report.Problems) != 1 || report.Problems[0].Mailbox != "INBOX" {
					t.Errorf("problems are %+v, want one in INBOX", report.Problems)
				}
			}
			f.tree.SetUnreadable("INBOX", key, false)
			f.clean()
			f.idle()
		})
	}
}

// TestLostConnectionBlamesNoMessage: all connections break at once, in the
// middle of a download. No message is set aside for it.
func TestLostConnectionBlamesNoMessage(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", tokens(20)...)
	f.deliver("Archive", "a", "b")
	fetches := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op != "remote.body" {
			return nil
		}
		if fetches++; fetches == 5 {
			f.server.DropConnections()
		}
		return nil
	})
	_, _ = f.run() // it may give up
	f.world.SetFault(nil)
	f.clean()
	if stuck, err := f.store.Waiting(t.Context()); err != nil || len(stuck) > 0 {
		t.Errorf("set aside: %+v, %v", stuck, err)
	}
	if n := len(f.local()); n != 22 {
		t.Errorf("%d messages arrived, want 22", n)
	}
}
