package real

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/lab"
)

// accident is something that empties mail elsewhere, and how it ends again.
type accident struct {
	name    string
	happen  func(*account)
	missing state.Side
	whole   bool
	undo    func(*account) // nil where it cannot be undone
}

// accidents come with what isync 1.5.1 (Expunge Both) and offlineimap 8.0.0 were
// seen to do, with exit code 0 each time.
var accidents = []accident{
	{
		// isync and offlineimap empty the local folder.
		name: "the server's store vanishes", missing: state.Remote,
		happen: func(a *account) { a.srv.WipeStore(a.user, box) },
		undo:   func(a *account) { a.srv.RestoreStore(a.user, box) },
	},
	{
		// offlineimap deletes everything on the server.
		name: "the folder is emptied", missing: state.Local,
		happen: func(a *account) { a.shelve(box + "/cur"); a.shelve(box + "/new") },
		undo:   func(a *account) { a.unshelve(box + "/cur"); a.unshelve(box + "/new") },
	},
	{
		name: "the folder is removed", missing: state.Local, whole: true,
		happen: func(a *account) { a.rename(filepath.Join(a.root, box), a.shelf(box)) },
		undo:   func(a *account) { a.rename(a.shelf(box), filepath.Join(a.root, box)) },
	},
	{
		name: "the mailbox is deleted elsewhere", missing: state.Remote, whole: true,
		happen: func(a *account) { a.srv.DeleteMailbox(a.user, box) },
	},
}

// box is the mailbox to which the accidents happen.
const box = "Box"

// shelf is where something rests that is gone from the tree for a while.
func (a *account) shelf(name string) string {
	return filepath.Join(filepath.Dir(a.root), "shelf-"+filepath.Base(name))
}

// shelve empties a directory of the tree.
func (a *account) shelve(dir string) {
	a.Helper()
	path := filepath.Join(a.root, dir)
	a.must(errors.Join(os.Rename(path, a.shelf(dir)), os.Mkdir(path, 0o700)))
}

func (a *account) unshelve(dir string) {
	a.Helper()
	path := filepath.Join(a.root, dir)
	a.must(errors.Join(os.Remove(path), os.Rename(a.shelf(dir), path)))
}

// fullBox returns an account in step with n messages in Box, some of them read,
// and what it holds.
func fullBox(t *testing.T, srv *lab.Server, n int) (*account, []string) {
	t.Helper()
	a := newAccount(t, srv)
	a.srv.CreateMailbox(a.user, box)
	var want []string
	for i := range n {
		token := fmt.Sprintf("m%02d", i)
		a.deliver(box, token)
		want = append(want, box+"/"+token+":")
	}
	a.clean()
	a.flag(box, "m00", "S")
	want[0] += "S"
	a.deliver("INBOX", "other")
	a.clean()
	want = append(want, "INBOX/other:")
	a.expect(want...)
	return a, want
}

// onlyHold returns the only hold of a run.
func (a *account) onlyHold(r engine.Report) state.Hold {
	a.Helper()
	if len(r.Holds) != 1 {
		a.Fatalf("holds are %+v, want one", r.Holds)
	}
	return r.Holds[0]
}

// suffer makes the accident happen and checks that it stays a hold, that the
// side which still has the mail keeps it, and that other mail goes on.
func (x accident) suffer(a *account) state.Hold {
	a.Helper()
	remote, local := a.remote()[box], a.local()[box]
	x.happen(a)
	a.deliver("INBOX", "next")
	var hold state.Hold
	for range 3 {
		hold = a.onlyHold(a.sync())
		if hold.Missing != x.missing || hold.Whole != x.whole || hold.Mailbox != box || hold.Reason == "" {
			a.Fatalf("the hold is %+v, want one for the %s side of %s", hold, x.missing, box)
		}
	}
	kept, want := a.local()[box], local
	if x.missing == state.Local {
		kept, want = a.remote()[box], remote
	}
	if diff := gocmp.Diff(want, kept); diff != "" {
		a.Errorf("the side that was not hurt changed (-before +after):\n%s", diff)
	}
	if got := a.local()["INBOX"]; len(got) != 2 {
		a.Errorf("INBOX has %v, want the new message as well", got)
	}
	return hold
}

// TestAccidentsThatEnd: what was missing comes back, under new UIDs on the
// server. Nothing is lost, nothing doubled, nothing transferred.
func TestAccidentsThatEnd(t *testing.T) {
	srv := newServer(t)
	for _, x := range accidents {
		if x.undo == nil {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, want := fullBox(t, srv, 5)
			x.suffer(a)
			x.undo(a)
			if c := a.clean().Counts; c.Downloaded+c.Uploaded+c.RemovedLocal+c.RemovedRemote != 0 {
				t.Errorf("counts are %+v, want nothing transferred or removed", c)
			}
			a.expect(append(want, "INBOX/next:")...)
			if held := a.held(); len(held) > 0 {
				t.Errorf("the hold area has %v, want nothing", held)
			}
		})
	}
}

// TestReject: it was an accident. The missing side is put back from the one that
// is left, with flags and dates.
func TestReject(t *testing.T) {
	srv := newServer(t)
	for _, x := range accidents {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, want := fullBox(t, srv, 5)
			a.decide(x.suffer(a), state.Rejected)
			a.clean()
			a.expect(append(want, "INBOX/next:")...)
		})
	}
}

// TestApprove: the messages are really to go. They go to where they can still be
// had back from.
func TestApprove(t *testing.T) {
	srv := newServer(t)
	for _, x := range accidents {
		if x.whole {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			a, want := fullBox(t, srv, 5)
			a.decide(x.suffer(a), state.Approved)
			a.clean()
			after := []string{"INBOX/other:", "INBOX/next:"}
			if x.missing == state.Local {
				for _, name := range want[:5] {
					after = append(after, "Trash"+name[len(box):])
				}
			} else if held := a.held(); len(held) != 5 {
				t.Errorf("the hold area has %v, want five messages", held)
			}
			a.expect(after...)
		})
	}
}

// TestWholeMailboxIsForgottenWhenGoneFromBoth: approving the loss of a whole
// mailbox removes nothing by itself.
func TestWholeMailboxIsForgottenWhenGoneFromBoth(t *testing.T) {
	a, _ := fullBox(t, newServer(t), 3)
	a.srv.DeleteMailbox(a.user, box)
	a.decide(a.onlyHold(a.sync()), state.Approved)
	a.sync()
	if got := a.local()[box]; len(got) != 3 {
		t.Fatalf("folder %s has %v, want all three messages", box, got)
	}
	a.must(os.RemoveAll(filepath.Join(a.root, box)))
	a.clean()
	a.expect("INBOX/other:")
}

// TestUnmountedRoot: isync makes INBOX anew in the empty mount point and then
// deletes everything on the server, with exit code 0. Here the account stops.
func TestUnmountedRoot(t *testing.T) {
	srv := newServer(t)
	for name, c := range map[string]struct{ unmount, mount func(*account) error }{
		"an empty directory": {
			func(a *account) error {
				return errors.Join(os.Rename(a.root, a.shelf("root")), os.Mkdir(a.root, 0o700))
			},
			func(a *account) error { return errors.Join(os.Remove(a.root), os.Rename(a.shelf("root"), a.root)) },
		},
		"nothing at all": {
			func(a *account) error { return os.Rename(a.root, a.shelf("root")) },
			func(a *account) error { return os.Rename(a.shelf("root"), a.root) },
		},
		"another file system": {
			func(a *account) error { return exec.Command("mount", "-t", "tmpfs", "tmpfs", a.root).Run() },
			func(a *account) error { return exec.Command("umount", a.root).Run() },
		},
		"another disk with mail": {
			func(a *account) error {
				err := os.Rename(a.root, a.shelf("root"))
				a.mkfolder("INBOX")
				a.put("INBOX", "", "foreign")
				return err
			},
			func(a *account) error { return errors.Join(os.RemoveAll(a.root), os.Rename(a.shelf("root"), a.root)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "another file system" && os.Geteuid() != 0 {
				t.Skip("only root may mount")
			}
			a, want := fullBox(t, srv, 3)
			before := a.remote()
			a.must(c.unmount(a))
			mounted := false
			defer func() {
				if !mounted {
					_ = c.mount(a) // or the directory could not be removed
				}
			}()
			for range 2 {
				_, err := a.run()
				if err == nil || state.ScopeOf(err) != state.ScopeAccount {
					t.Fatalf("error is %v, want one that stops the account", err)
				}
			}
			if diff := gocmp.Diff(before, a.remote()); diff != "" {
				t.Errorf("the server changed (-before +after):\n%s", diff)
			}
			mounted = true
			a.must(c.mount(a))
			a.clean()
			a.expect(want...)
		})
	}
}

// TestFolderWithoutMarker: another disk, or an empty mount point, lies where one
// folder was. It is not that folder: nothing is concluded from what it lacks, and
// nothing of what it holds is uploaded.
func TestFolderWithoutMarker(t *testing.T) {
	a, want := fullBox(t, newServer(t), 3)
	before := a.remote()[box]
	a.rename(filepath.Join(a.root, box), a.shelf(box))
	a.mkfolder(box)
	a.put(box, "", "foreign")
	a.deliver("INBOX", "next")
	for range 2 {
		report := a.sync()
		if len(report.Problems) == 0 {
			t.Error("nothing was reported")
		}
		for _, p := range report.Problems {
			if p.Mailbox != box || p.Hint == "" {
				t.Errorf("problem %+v is not about %s, or does not say what to do", p, box)
			}
		}
	}
	if got := a.remote(); !slices.Equal(got[box], before) || len(a.local()["INBOX"]) != 2 {
		t.Errorf("the server has %q and the tree %q, want %s as it was and the new message", got.names(), a.local().names(), box)
	}
	a.must(os.RemoveAll(filepath.Join(a.root, box)))
	a.rename(a.shelf(box), filepath.Join(a.root, box))
	a.clean()
	a.expect(append(want, "INBOX/next:")...)
}

// TestLostIndexes: Dovecot lost its indexes or its list of UIDs. UIDVALIDITY
// stays; UIDs or mod-sequences are new. Nothing is transferred, no flag missed.
func TestLostIndexes(t *testing.T) {
	srv := newServer(t)
	for name, pattern := range map[string]string{
		"HIGHESTMODSEQ falls": "dovecot.index*", "new UIDs": "dovecot-uidlist",
	} {
		t.Run(name, func(t *testing.T) {
			a, want := fullBox(t, srv, 4)
			for range 20 {
				a.flag(box, "m01", "F")
				a.flag(box, "m01", "")
			}
			a.clean()
			lost, err := filepath.Glob(filepath.Join(a.srv.MailboxDir(a.user, box), pattern))
			a.must(err)
			if len(lost) == 0 {
				t.Fatal("there is nothing to lose")
			}
			for _, path := range lost {
				a.must(os.Remove(path))
			}
			a.flag(box, "m02", "F")
			report := a.clean()
			if c := report.Counts; c.Downloaded+c.Uploaded+c.RemovedLocal+c.RemovedRemote != 0 {
				t.Errorf("counts are %+v, want nothing transferred or removed", c)
			}
			want[2] += "F"
			a.expect(want...)
		})
	}
}
