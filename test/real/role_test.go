package real

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/lab"
)

// namedAccount is an account on a server that marks Sent alone. The other mailboxes
// are there by name.
func namedAccount(t *testing.T, names ...string) *account {
	t.Helper()
	a := newAccount(t, lab.Dovecot(t, lab.SpecialUse("Sent")))
	for _, name := range names {
		a.srv.CreateMailbox(a.user, name)
	}
	return a
}

// TestTrashByName: a server that marks Sent and nothing else has a Trash all the same.
// What was deleted here went for good before.
func TestTrashByName(t *testing.T) {
	for _, trash := range []string{"Trash", "Papierkorb", "Deleted Items", "INBOX/Corbeille"} {
		t.Run(trash, func(t *testing.T) {
			a := namedAccount(t, trash, "Archive")
			a.deliver("INBOX", "a", "b", "c")
			a.clean()
			a.drop("INBOX", "a")
			report := a.clean()
			if report.Trash != trash || report.Counts.RemovedForGood != 0 {
				t.Errorf("Trash is %q, %d were removed for good; want %q and none", report.Trash, report.Counts.RemovedForGood, trash)
			}
			a.expect("INBOX/b:", "INBOX/c:", trash+"/a:")
		})
	}
}

// TestTrashByNameIsNotEmptiedBlindly: a name can be wrong. What is removed from what
// is Trash by its name alone has a copy in the hold area, and much of it waits.
func TestTrashByNameIsNotEmptiedBlindly(t *testing.T) {
	a := namedAccount(t, "Bin")
	a.deliver("Bin", "a", "b", "c")
	a.clean()
	a.drop("Bin", "a")
	a.clean()
	a.expect("Bin/b:", "Bin/c:")
	if held := a.held(); len(held) != 1 || held["a"] != 1 {
		t.Errorf("the hold area has %v, want a", held)
	}
	a.drop("Bin", "b")
	a.drop("Bin", "c")
	if h := a.onlyHold(a.sync()); h.UIDs.Len() != 2 || !strings.Contains(string(h.Reason), "roles.trash") {
		t.Errorf("the hold is %+v, want both, and a word about the configuration", h)
	}

	// The user says that it is.
	a.options = func(o *engine.Options) { o.Roles = map[state.Role]string{state.RoleTrash: "Bin"} }
	a.decide(a.onlyHold(a.sync()), state.Approved)
	a.clean()
	a.deliver("Bin", "d", "e")
	a.clean()
	a.drop("Bin", "d")
	a.drop("Bin", "e")
	a.clean()
	if held := a.held(); len(held) != 1 {
		t.Errorf("the hold area has %v, want only what was removed on a guess", held)
	}
	a.expect()
}

// TestTrashComesAndGoes: where deleted messages go does not depend on what happens to
// be there in a run. Nothing goes for good because Trash is away for a while, and no
// new mailbox takes over from one that is there.
func TestTrashComesAndGoes(t *testing.T) {
	a := namedAccount(t, "Deleted Items")
	a.deliver("INBOX", "a", "b", "c", "d", "e")
	a.clean()
	a.srv.CreateMailbox(a.user, "Trash")
	a.drop("INBOX", "a")
	a.clean()
	a.expect("Deleted Items/a:", "INBOX/b:", "INBOX/c:", "INBOX/d:", "INBOX/e:")

	// Another client renames it, and the other one is no Trash any more.
	a.srv.DeleteMailbox(a.user, "Trash")
	a.sync()
	a.srv.Doveadm("mailbox", "rename", "-u", a.user, "Deleted Items", "Zerlegt")
	a.drop("INBOX", "b")
	report := a.sync()
	waits := slices.ContainsFunc(report.Problems, func(p state.Problem) bool { return p.Mailbox == "Deleted Items" && p.Hint != "" })
	if got := len(a.remote()["INBOX"]); got != 4 || !waits || report.Counts.RemovedForGood != 0 {
		t.Errorf("the server has %d messages in INBOX, want 4; problems are %+v", got, report.Problems)
	}
	a.srv.Doveadm("mailbox", "rename", "-u", a.user, "Zerlegt", "Deleted Items")
	a.sync() // the folders that the renames left are held
	if got := a.remote()["Deleted Items"]; len(got) != 2 {
		t.Errorf("Trash has %v, want a and b", got)
	}
}

// TestTrashIsMadeInTheSameRun: a reader makes the folder of Trash, and a message is
// deleted before the next run, which makes the mailbox. It goes there.
func TestTrashIsMadeInTheSameRun(t *testing.T) {
	a := namedAccount(t)
	a.deliver("INBOX", "a", "b", "c")
	a.clean()
	a.mkfolder("Papierkorb")
	a.drop("INBOX", "a")
	a.clean()
	a.expect("INBOX/b:", "INBOX/c:", "Papierkorb/a:")
}

// TestDraftsByName: drafts are treated as such where Drafts is there by name, so that
// an edit in place is noticed in the next run.
func TestDraftsByName(t *testing.T) {
	a := namedAccount(t, "Entwürfe")
	a.deliver("Entwürfe", "a")
	a.clean()
	a.overwrite("Entwürfe", "a", "longer")
	a.clean()
	a.expect("Entwürfe/longer:")
}
