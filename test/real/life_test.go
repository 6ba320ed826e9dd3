package real

import (
	"os"
	"slices"
	"testing"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestLife: every server works. The ordinary life of an account ends the same
// with each extension hidden, and with all of them.
func TestLife(t *testing.T) {
	servers := []struct {
		name string
		hide []string
	}{
		{"as it is", nil},
		{"nothing but IMAP4rev1", lab.Maskable()},
		{"no CONDSTORE", []string{"CONDSTORE"}},
		{"no UIDPLUS", []string{"UIDPLUS"}},
		{"no MOVE", []string{"MOVE"}},
		{"no MOVE and no UIDPLUS", []string{"MOVE", "UIDPLUS"}},
		{"no LIST-STATUS", []string{"LIST-STATUS"}},
		{"no ESEARCH", []string{"ESEARCH"}},
		{"no LITERAL+", []string{"LITERAL+"}},
		{"no SPECIAL-USE", []string{"SPECIAL-USE"}},
	}
	if testing.Short() {
		servers = servers[:2]
	}
	srv := newServer(t)
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.run(newAccount(t, srv, server.hide...))
				})
			}
		})
	}
}

var scenarios = []struct {
	name string
	run  func(*account)
}{
	{"first sync into an empty tree", func(a *account) {
		a.deliver("INBOX", "a", "b")
		a.flag("INBOX", "b", "FS")
		a.clean()
		a.expect("INBOX/a:", "INBOX/b:FS")
	}},
	{"first sync to an empty server", func(a *account) {
		a.mkfolder("INBOX")
		a.mkfolder("Lists/go")
		a.put("INBOX", "S", "a")
		a.put("Lists/go", "", "b")
		a.clean()
		a.expect("INBOX/a:S", "Lists/go/b:")
	}},
	{"first sync of two full sides", func(a *account) {
		a.deliver("INBOX", "a", "b", "server only")
		a.flag("INBOX", "a", "S")
		a.mkfolder("INBOX")
		a.putFile("INBOX", "cur/1.x:2,F", lf(body("a")), start)
		a.putFile("INBOX", "new/2.x", lf(body("b")), start+1)
		a.put("INBOX", "", "local only")
		if c := a.clean().Counts; c.Paired != 2 || c.Downloaded != 1 || c.Uploaded != 1 {
			a.Errorf("counts are %+v, want 2 pairs, 1 download, 1 upload", c)
		}
		a.expect("INBOX/a:FS", "INBOX/b:", "INBOX/server only:", "INBOX/local only:")
	}},
	{"equal messages pair as often as they occur", func(a *account) {
		for range 3 {
			a.deliver("INBOX", "a")
		}
		a.mkfolder("INBOX")
		a.putFile("INBOX", "cur/1.x:2,", lf(body("a")), start)
		a.putFile("INBOX", "cur/2.x:2,", lf(body("a")), start)
		if c := a.clean().Counts; c.Paired != 2 || c.Downloaded != 1 || c.Uploaded != 0 {
			a.Errorf("counts are %+v, want 2 pairs and 1 download", c)
		}
		a.expect("INBOX/a:", "INBOX/a:", "INBOX/a:")
	}},
	{"new mail on both sides", func(a *account) {
		a.deliver("INBOX", "a")
		a.clean()
		a.deliver("INBOX", "b")
		a.put("INBOX", "S", "c")
		a.clean()
		a.expect("INBOX/a:", "INBOX/b:", "INBOX/c:S")
	}},
	{"flags on both sides merge", func(a *account) {
		a.deliver("INBOX", "a")
		a.clean()
		a.flag("INBOX", "a", "SP")
		a.letters("INBOX", "a", "FRD")
		a.clean()
		a.expect("INBOX/a:DFPRS")
		a.flag("INBOX", "a", "F")
		a.clean()
		a.expect("INBOX/a:F")
	}},
	{"deleted locally goes to Trash", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		a.drop("INBOX", "a")
		a.clean()
		a.expect("INBOX/b:", "INBOX/c:", "Trash/a:")
	}},
	{"deleted on the server goes to the hold area", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "a"))
		a.clean()
		a.expect("INBOX/b:", "INBOX/c:")
		if held := a.held(); len(held) != 1 || held["a"] != 1 {
			a.Errorf("the hold area has %v, want a", held)
		}
	}},
	{"moved locally is moved on the server", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		a.carry("INBOX", "a", "Archive")
		if c := a.clean().Counts; c.MovedRemote != 1 || c.Uploaded != 0 {
			a.Errorf("counts are %+v, want one move on the server and no upload", c)
		}
		a.expect("Archive/a:", "INBOX/b:", "INBOX/c:")
	}},
	{"moved on the server is moved locally", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		a.srv.Move(a.user, "INBOX", a.uid("INBOX", "a"), "Archive")
		if c := a.clean().Counts; c.MovedLocal != 1 || c.Downloaded != 0 {
			a.Errorf("counts are %+v, want one local move and no download", c)
		}
		a.expect("Archive/a:", "INBOX/b:", "INBOX/c:")
	}},
	{"everything moved away is no mass deletion", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		for _, token := range []string{"a", "b", "c"} {
			a.carry("INBOX", token, "Archive")
		}
		a.clean()
		a.expect("Archive/a:", "Archive/b:", "Archive/c:")
	}},
	{"a mailbox new on the server", func(a *account) {
		a.clean()
		a.srv.CreateMailbox(a.user, "Work/2026")
		a.deliver("Work/2026", "a")
		a.clean()
		a.expect("Work/2026/a:")
	}},
	{"edited here", func(a *account) {
		a.deliver("Drafts", "a", "b")
		a.clean()
		a.edit("Drafts", "a", lf(body("a2")))
		a.flag("Drafts", "a", "F")
		a.clean()
		a.expect("Drafts/a2:F", "Drafts/b:")
	}},
	{"deleted for good", func(a *account) {
		// Removal inside Trash is final on both sides.
		a.deliver("Trash", "a", "b")
		a.clean()
		a.must(os.Remove(a.file("Trash", "a")))
		a.clean()
		a.expect("Trash/b:")
	}},
	{"deleted here while read there", func(a *account) {
		a.deliver("INBOX", "a", "b", "c")
		a.clean()
		a.drop("INBOX", "a")
		a.drop("INBOX", "b")
		a.flag("INBOX", "a", "S")
		a.flag("INBOX", "b", "F")
		a.clean()
		// Somebody who flags a message still wants it; who reads it may not.
		a.expect("INBOX/b:F", "INBOX/c:", "Trash/a:S")
	}},
}

// TestTrashedIsAFlag: T and \Deleted travel like other flags, and nothing is
// expunged because of them.
func TestTrashedIsAFlag(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b")
	a.clean()
	a.flag("INBOX", "a", "T")
	a.letters("INBOX", "b", "ST")
	a.clean()
	a.expect("INBOX/a:T", "INBOX/b:ST")
	a.flag("INBOX", "a", "")
	a.clean()
	a.expect("INBOX/a:", "INBOX/b:ST")
}

// TestUIDValidity: the server has another mailbox under the same name, with other
// mail. What it has arrives, what it lacks stays here until the user decides, and
// one that both have is the same message. offlineimap deletes messages then.
func TestUIDValidity(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.srv.CreateMailbox(a.user, "Box")
	a.deliver("Box", "a", "b", "both")
	a.clean()
	a.srv.DeleteMailbox(a.user, "Box")
	a.srv.CreateMailbox(a.user, "Box")
	a.deliver("Box", "x", "y", "both")
	a.deliver("INBOX", "new")
	var h state.Hold
	for range 2 {
		h = a.onlyHold(a.sync())
		if h.Mailbox != "Box" || h.Missing != state.Remote || h.Lost != 2 {
			t.Fatalf("the hold is %+v, want one for two messages of Box", h)
		}
		want := []string{"Box/a:", "Box/b:", "Box/both:", "Box/x:", "Box/y:", "INBOX/new:"}
		if got := a.local().names(); !slices.Equal(got, want) {
			t.Errorf("the tree has %q, want %q", got, want)
		}
		if got := a.remote().names(); len(got) != 4 {
			t.Errorf("the server has %q, want what was there", got)
		}
	}
	a.decide(h, state.Rejected)
	a.clean()
	a.expect("Box/a:", "Box/b:", "Box/both:", "Box/x:", "Box/y:", "INBOX/new:")
}
