package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestSync runs the ordinary life of an account, on servers with and without
// the extensions that make it faster.
func TestSync(t *testing.T) {
	servers := map[string]sim.ServerOptions{
		"full":          {},
		"no CONDSTORE":  {NoCondstore: true},
		"no UIDPLUS":    {NoUIDPlus: true},
		"no MOVE":       {NoMove: true},
		"plain":         {NoCondstore: true, NoUIDPlus: true, NoMove: true, NoStatus: true},
		"no STATUS yet": {NoStatus: true},
	}
	for server, options := range servers {
		t.Run(server, func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					s.run(newFixture(t, options))
				})
			}
		})
	}
}

// scenario is a fixed story with its end.
type scenario struct {
	name string
	run  func(*fixture)
}

var scenarios = slices.Concat(everyday, rematched, tagging)

var everyday = []scenario{
	{"first sync into an empty tree", func(f *fixture) {
		f.deliver("INBOX", "a", "b")
		f.server.SetFlags("INBOX", f.uid("INBOX", "b"), state.Seen|state.Flagged)
		f.clean()
		f.expect("INBOX/a:", "INBOX/b:FS")
	}},
	{"first sync to an empty server", func(f *fixture) {
		f.tree.AddFolder("INBOX")
		f.tree.AddFolder("Lists/go")
		f.put("INBOX", "S", "a")
		f.put("Lists/go", "", "b")
		f.clean()
		f.expect("INBOX/a:S", "Lists/go/b:")
	}},
	{"first sync of two full sides", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "server only")
		f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
		f.tree.AddFolder("INBOX")
		f.put("INBOX", "F", "a")
		f.put("INBOX", "", "b")
		f.put("INBOX", "", "local only")
		if n := f.clean().Counts.Paired; n != 2 && f.interruptAt == 0 {
			f.t.Errorf("%d messages were paired, want 2", n)
		}
		f.expect("INBOX/a:FS", "INBOX/b:", "INBOX/server only:", "INBOX/local only:")
	}},
	{"equal messages pair as often as they occur", func(f *fixture) {
		f.deliver("INBOX", "a", "a", "a")
		f.tree.AddFolder("INBOX")
		f.put("INBOX", "", "a")
		f.put("INBOX", "", "a")
		f.clean()
		f.expect("INBOX/a:", "INBOX/a:", "INBOX/a:")
	}},
	{"new mail on both sides", func(f *fixture) {
		f.deliver("INBOX", "a")
		f.clean()
		f.deliver("INBOX", "b")
		f.put("INBOX", "S", "c")
		f.clean()
		f.expect("INBOX/a:", "INBOX/b:", "INBOX/c:S")
	}},
	{"flags on both sides merge", func(f *fixture) {
		f.deliver("INBOX", "a")
		f.clean()
		f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.clean()
		f.expect("INBOX/a:FS")
		f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Flagged)
		f.clean()
		f.expect("INBOX/a:F")
	}},
	{"deleted locally goes to Trash", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
		f.clean()
		f.expect("INBOX/b:", "INBOX/c:", "Trash/a:")
	}},
	{"deleted on the server goes to the hold area", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.server.Expunge("INBOX", f.uid("INBOX", "a"))
		f.clean()
		f.expect("INBOX/b:", "INBOX/c:")
		if held := f.tree.Held(); len(held) != 1 {
			f.t.Errorf("the hold area has %q, want one file", held)
		}
	}},
	{"moved locally is moved on the server", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
		if n := f.clean().Counts.MovedRemote; n != 1 && f.interruptAt == 0 {
			f.t.Errorf("%d messages were moved on the server, want 1", n)
		}
		f.expect("Archive/a:", "INBOX/b:", "INBOX/c:")
	}},
	{"moved on the server is moved locally", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.server.Move("INBOX", f.uid("INBOX", "a"), "Archive")
		if r := f.clean(); f.interruptAt == 0 && (r.Counts.MovedLocal != 1 || r.Counts.Downloaded != 0) {
			f.t.Errorf("counts are %+v, want one local move and no download", r.Counts)
		}
		f.expect("Archive/a:", "INBOX/b:", "INBOX/c:")
	}},
	{"everything moved away is no mass deletion", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		for _, token := range []string{"a", "b", "c"} {
			f.tree.MoveFile("INBOX", f.key("INBOX", token), "Archive", sim.MoveOptions{})
		}
		f.clean()
		f.expect("Archive/a:", "Archive/b:", "Archive/c:")
	}},
	{"a mailbox new on the server", func(f *fixture) {
		f.clean()
		f.server.CreateMailbox("Work/2026", state.RoleNone)
		f.deliver("Work/2026", "a")
		f.clean()
		f.expect("Work/2026/a:")
	}},
	{"edited here", func(f *fixture) {
		f.server.CreateMailbox("Drafts", state.RoleDrafts)
		f.deliver("Drafts", "a", "b")
		f.clean()
		data := strings.ReplaceAll(string(body("a2")), "\r\n", "\n")
		f.tree.EditFile("Drafts", f.key("Drafts", "a"), []byte(data))
		f.server.SetFlags("Drafts", f.uid("Drafts", "a"), state.Flagged)
		f.clean()
		f.expect("Drafts/a2:F", "Drafts/b:")
	}},
}

// TestEditNotSeenByTheScan: a message that was edited in place was moved or
// deleted on the server. Names alone do not show the edit, so the change of the
// server cannot be carried out as planned; the next round must look closer, or
// the whole mailbox would wait for a day.
func TestEditNotSeenByTheScan(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b", "c", "d")
	f.clean()
	for _, token := range []string{"a", "b"} {
		data := strings.ReplaceAll(string(body(token+"2")), "\r\n", "\n")
		f.tree.EditFile("INBOX", f.key("INBOX", token), []byte(data))
	}
	f.server.Move("INBOX", f.uid("INBOX", "a"), "Archive")
	f.server.Expunge("INBOX", f.uid("INBOX", "b"))
	f.server.Expunge("INBOX", f.uid("INBOX", "c"))
	f.clean()
	f.clean()
	f.expect("Archive/a2:", "INBOX/b2:", "INBOX/d:")
}

// appending lets something happen after each upload.
type appending struct {
	engine.Remote
	then func()
}

func (r appending) Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded {
	results := r.Remote.Append(ctx, ref, uploads)
	r.then()
	return results
}

// TestFileGrowsDuringUpload: a slow delivery wrote the second half of a message when
// the first had just been uploaded. The run said "in step", and the server kept half.
func TestFileGrowsDuringUpload(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.clean()
	key := f.put("INBOX", "", "half")
	whole := strings.ReplaceAll(string(body("whole")), "\r\n", "\n")
	grown := false
	f.reconnect(func(r engine.Remote) engine.Remote {
		return appending{r, func() {
			if !grown {
				grown = true
				f.tree.EditFile("INBOX", key, []byte(whole))
			}
		}}
	})
	f.clean()
	f.expect("INBOX/whole:")
}
