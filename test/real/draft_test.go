package real

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"mailmoor/test/lab"
)

// TestDraftSavedAgain: a reader saves a draft again and again, each time as a new file in
// place of the old one. Eight versions of five drafts lay in Trash after an evening. The
// old ones belong into the hold area; a draft that is deleted belongs into Trash.
func TestDraftSavedAgain(t *testing.T) {
	for _, hide := range [][]string{nil, {"UIDPLUS", "MOVE"}} {
		t.Run(fmt.Sprintf("without %v", hide), func(t *testing.T) {
			a := newAccount(t, newServer(t), hide...)
			a.deliver("Drafts", "stay", "letter1", "unwanted")
			a.clean()
			for i := 2; i <= 4; i++ {
				a.drop("Drafts", fmt.Sprintf("letter%d", i-1))
				a.put("Drafts", "DS", fmt.Sprintf("letter%d", i))
				a.clean()
			}
			a.drop("Drafts", "unwanted")
			a.clean()
			a.settle()
			a.expect("Drafts/stay:", "Drafts/letter4:DS", "Trash/unwanted:")
			for _, token := range []string{"letter1", "letter2", "letter3"} {
				if n := a.held()[token]; n != 1 {
					t.Errorf("the hold area has %s %d times, want once", token, n)
				}
			}
		})
	}
}

// TestDraftReplacedOnTheServer: another client saves a draft again, as a new message in
// place of the old one. Here the new one comes, and the file of the old one goes to the
// hold area; nothing of it is uploaded again.
func TestDraftReplacedOnTheServer(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("Drafts", "stay", "letter1")
	a.clean()
	a.deliver("Drafts", "letter2")
	a.srv.Expunge(a.user, "Drafts", a.uid("Drafts", "letter1"))
	a.clean()
	a.expect("Drafts/stay:", "Drafts/letter2:")
	if held := a.held(); held["letter1"] != 1 || len(held) != 1 {
		t.Errorf("the hold area has %v, want letter1", held)
	}
}

// TestDraftReplacedOnBothSides: the same draft was saved again here and on the server. Both
// new versions stay, and no old one comes back.
func TestDraftReplacedOnBothSides(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("Drafts", "stay", "letter")
	a.clean()
	a.drop("Drafts", "letter")
	a.put("Drafts", "D", "here")
	a.deliver("Drafts", "there")
	a.srv.Expunge(a.user, "Drafts", a.uid("Drafts", "letter"))
	a.clean()
	a.settle()
	a.expect("Drafts/stay:", "Drafts/here:D", "Drafts/there:")
}

// TestDraftWhoseSuccessorIsRefused: the server does not take the new version of a draft. The
// old one stays until it does.
func TestDraftWhoseSuccessorIsRefused(t *testing.T) {
	a := newAccount(t, newServer(t, lab.Quota(10<<20), lab.Config("plugin {\n  quota_max_mail_size = 50k\n}")))
	a.deliver("Drafts", "stay", "letter")
	a.clean()
	a.drop("Drafts", "letter")
	a.putFile("Drafts", "cur/1.large:2,D", lf(large("large", 100<<10)), start)
	for range 2 {
		a.sync()
		if got := a.remote().names(); !slices.Equal(got, []string{"Drafts/letter:", "Drafts/stay:"}) {
			t.Errorf("the server has %q, want both drafts", got)
		}
	}
	a.drop("Drafts", "large")
	a.put("Drafts", "D", "small")
	a.later(2 * time.Hour)
	a.settle()
	a.expect("Drafts/small:D", "Drafts/stay:")
}
