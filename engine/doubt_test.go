package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// refusal is an error of one mailbox that passes.
func refusal(doing string) error {
	return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseNetwork, Doing: state.Text(doing), Err: errors.New("NO [INUSE]")}
}

// once makes a fault of what happens at the first step of that name.
func once(op, subject string, after bool, do func() error) sim.Fault {
	done := false
	return func(s sim.Step) error {
		if done || s.Op != op || s.Subject != subject || s.After != after {
			return nil
		}
		done = true
		return do()
	}
}

// settleDown runs until a run finds nothing to do, and checks the end.
func (f *fixture) settleDown(want ...string) {
	f.t.Helper()
	f.sync()
	f.world.SetFault(nil)
	f.sync()
	f.expect(want...)
	if held := f.tree.Held(); len(held) > 0 {
		f.t.Errorf("the hold area has %q, although nobody deleted anything", held)
	}
}

// TestMoveDuringTheScan: a reader moves a message from a folder that is still
// to be scanned to one that was scanned already. It is in neither scan.
func TestMoveDuringTheScan(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "c", "d")
	f.clean()
	f.clean()
	f.tree.SetLetters("INBOX", f.key("INBOX", "d"), "S")
	f.world.SetFault(once("local.scan", "INBOX", false, func() error {
		f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
		return nil
	}))
	f.settleDown("Archive/a:", "INBOX/b:", "INBOX/c:", "INBOX/d:S")
}

// TestMoveDuringTheListing: the same on the server, with a flag set here that
// would bring a deleted message back.
func TestMoveDuringTheListing(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.opts = func(o *engine.Options) { o.Connections = 1 }
	f.deliver("INBOX", "a", "b", "c", "d")
	f.clean()
	f.clean()
	f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
	f.world.SetFault(once("remote.select", "INBOX", false, func() error {
		f.server.Move("INBOX", f.uid("INBOX", "a"), "Archive")
		return nil
	}))
	f.settleDown("Archive/a:F", "INBOX/b:", "INBOX/c:", "INBOX/d:")
}

// TestPlaceThatCannotBeSeen: while one mailbox or folder cannot be looked at,
// what is missing elsewhere may be there.
func TestPlaceThatCannotBeSeen(t *testing.T) {
	for name, c := range map[string]struct{ op, subject string }{
		"the new place cannot be identified": {"remote.identify", "Archive"},
		"the new place cannot be opened":     {"remote.select", "Archive"},
		"the new place cannot be scanned":    {"local.scan", "Archive"},
		"the old place cannot be opened":     {"remote.select", "INBOX"},
		"the old place cannot be scanned":    {"local.scan", "INBOX"},
	} {
		moves := map[string]func(*fixture){
			"moved on the server": func(f *fixture) { f.server.Move("INBOX", f.uid("INBOX", "m000"), "Archive") },
			"moved here": func(f *fixture) {
				f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{FreshKey: true, FreshInode: true})
			},
		}
		moves["moved on both sides"] = func(f *fixture) {
			moves["moved on the server"](f)
			moves["moved here"](f)
		}
		for how, move := range moves {
			t.Run(name+", "+how, func(t *testing.T) {
				f := full(t, 4)
				f.clean()
				// Every folder is scanned, whatever its stamp says.
				f.put("Archive", "S", "mine")
				f.clean()
				f.tree.SetLetters("Archive", f.key("Archive", "mine"), "FS")
				f.tree.SetLetters("INBOX", f.key("INBOX", "m003"), "S")
				move(f)
				f.world.SetFault(func(s sim.Step) error {
					if s.Op == c.op && s.Subject == c.subject {
						return refusal(c.op)
					}
					return nil
				})
				f.settleDown("Archive/m000:", "Archive/mine:FS", "INBOX/m001:", "INBOX/m002:", "INBOX/m003:S")
			})
		}
	}
}

// TestNewMessageVanishes: one of several new messages is gone before it could
// be identified. The others are still compared with the files.
func TestNewMessageVanishes(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "a", "x")
	f.tree.AddFolder("INBOX")
	f.put("INBOX", "", "a")
	f.put("INBOX", "", "a")
	f.world.SetFault(once("remote.identify", "INBOX", false, func() error {
		f.server.Expunge("INBOX", f.uid("INBOX", "x"))
		return nil
	}))
	f.settleDown("INBOX/a:", "INBOX/a:")
}

func drafts(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", tokens(n)...)
	f.clean()
	return f
}

func (f *fixture) edit(folder, from, to string) {
	data := strings.ReplaceAll(string(body(to)), "\r\n", "\n")
	f.tree.EditFile(folder, f.key(folder, from), []byte(data))
}

// TestEditsAreNoRemovals: all drafts were edited. Their old versions go, and no
// guard takes that for an accident.
func TestEditsAreNoRemovals(t *testing.T) {
	f := drafts(t, 25)
	var want []string
	for _, token := range tokens(25) {
		f.edit("Drafts", token, "new-"+token)
		want = append(want, "Drafts/new-"+token+":")
	}
	f.clean()
	f.expect(want...)
}

// TestEditDoesNotBypassTrash: an old version that is still to be retired, and
// goes for good, must not take the user's deletions along.
func TestEditDoesNotBypassTrash(t *testing.T) {
	f := drafts(t, 6)
	f.edit("Drafts", "m000", "edited")
	lists := 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.list" && !s.After {
			if lists++; lists == 2 {
				return errors.New("connection reset")
			}
		}
		return nil
	})
	if _, err := f.run(); err == nil {
		t.Fatal("the run was not broken")
	}
	f.world.SetFault(nil)
	f.tree.DeleteFile("Drafts", f.key("Drafts", "m001"))
	f.tree.DeleteFile("Drafts", f.key("Drafts", "m002"))
	f.clean()
	f.expect("Drafts/edited:", "Drafts/m003:", "Drafts/m004:", "Drafts/m005:", "Trash/m001:", "Trash/m002:")
}

// TestDecisionOutlastsDoubt: the user rejected a removal, and in the next cycle
// a place cannot be seen. The decision must not get lost.
func TestDecisionOutlastsDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		accident      func(*fixture)
		doubt, assure func(*fixture)
	}{
		"another folder cannot be scanned": {
			func(f *fixture) { f.tree.EmptyFolder("INBOX") },
			func(f *fixture) {
				f.put("Archive", "", "z")
				f.world.SetFault(func(s sim.Step) error {
					if s.Op == "local.scan" && s.Subject == "Archive" {
						return refusal("scan")
					}
					return nil
				})
			},
			func(f *fixture) { f.world.SetFault(nil) },
		},
		"the listing cannot be proven": {
			func(f *fixture) { f.server.WipeMailbox("INBOX") },
			func(f *fixture) { f.server.Configure(func(o *sim.ServerOptions) { o.NoListing = true }) },
			func(f *fixture) { f.server.Configure(func(o *sim.ServerOptions) { o.NoListing = false }) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(t, 3)
			c.accident(f)
			f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
			c.doubt(f)
			f.sync()
			c.assure(f)
			f.sync()
			want := []string{"INBOX/m000:", "INBOX/m001:", "INBOX/m002:"}
			for _, side := range [][]string{f.remote(), f.local()} {
				got := slices.DeleteFunc(side, func(m string) bool { return m == "Archive/z:" })
				if !slices.Equal(got, want) {
					t.Errorf("a side has %q, want %q", got, want)
				}
			}
		})
	}
}

// TestMoveOutOfReadOnlyMailbox: it cannot be carried out yet. When it can, it
// must not have become a deletion.
func TestMoveOutOfReadOnlyMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Shared", state.RoleNone)
	f.deliver("Shared", "a", "b", "c")
	f.clean()
	f.clean()
	f.server.SetReadOnly("Shared", true)
	f.tree.MoveFile("Shared", f.key("Shared", "a"), "Archive", sim.MoveOptions{})
	for range 2 {
		if report := f.sync(); len(report.Problems) == 0 {
			t.Error("nobody was told")
		}
	}
	f.server.SetReadOnly("Shared", false)
	f.clean()
	f.expect("Archive/a:", "Shared/b:", "Shared/c:")
}

// TestMovedAndRenumbered: the server gives a message another UID while its file
// is moved.
func TestMovedAndRenumbered(t *testing.T) {
	f := full(t, 4)
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{})
	f.server.Move("INBOX", f.uid("INBOX", "m000"), "INBOX")
	f.clean()
	f.expect("Archive/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/m003:")
}

// TestMovedToAPlaceThatIsSuspended: the message is safe there, and must neither
// go to Trash nor be taken for a new one.
func TestMovedToAPlaceThatIsSuspended(t *testing.T) {
	t.Run("a folder without its marker", func(t *testing.T) {
		f := full(t, 4)
		f.clean()
		f.tree.RemoveMarker("Archive")
		f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{})
		f.sync()
		if got := f.remote(); len(got) != 4 || got[0] != "INBOX/m000:" {
			t.Errorf("the server has %q", got)
		}
	})
	t.Run("a mailbox that is held", func(t *testing.T) {
		f := full(t, 4)
		f.clean()
		f.tree.RemoveFolder("Archive")
		f.sync()
		f.server.Move("INBOX", f.uid("INBOX", "m000"), "Archive")
		f.tree.SetLetters("INBOX", f.key("INBOX", "m000"), "F")
		f.sync()
		if got := f.remote(); len(got) != 4 || got[0] != "Archive/m000:" {
			t.Errorf("the server has %q", got)
		}
		if got := f.local(); len(got) != 4 || got[0] != "INBOX/m000:F" {
			t.Errorf("the tree has %q", got)
		}
	})
}

// TestUnreadableFileIsNotMissing: a file that was moved, and that nobody may
// read in its new place, is not deleted.
func TestUnreadableFileIsNotMissing(t *testing.T) {
	f := full(t, 4)
	f.clean()
	key := f.tree.MoveFile("INBOX", f.key("INBOX", "m000"), "Archive", sim.MoveOptions{FreshKey: true})
	f.tree.SetUnreadable("Archive", key, true)
	if report := f.sync(); len(report.Problems) == 0 {
		t.Error("nobody was told of the unreadable file")
	}
	if got := f.remote(); len(got) != 4 || got[0] != "INBOX/m000:" {
		t.Errorf("the server has %q", got)
	}
	f.tree.SetUnreadable("Archive", key, false)
	f.clean()
	f.expect("Archive/m000:", "INBOX/m001:", "INBOX/m002:", "INBOX/m003:")
}
