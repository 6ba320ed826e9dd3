package quirk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/quirk"
)

// TestWindow: the server begins to show only the newest messages. What it does not
// show any more is not deleted from the tree, and new mail still arrives.
func TestWindow(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{})
	var want []string
	for i := range 210 {
		token := fmt.Sprintf("m%03d", i)
		a.deliver("INBOX", token)
		want = append(want, "INBOX/"+token+":")
	}
	a.clean()
	a.srv.Switch(quirk.Window(100))
	a.deliver("INBOX", "new")
	report := a.sync()
	if len(report.Holds) != 1 || report.Holds[0].Mailbox != "INBOX" || report.Holds[0].UIDs.Len() != 111 || len(report.Problems) > 0 {
		t.Errorf("%d holds and problems %+v, want one hold of 111 messages of INBOX", len(report.Holds), report.Problems)
	}
	a.sync()
	if diff := gocmp.Diff(append(want, "INBOX/new:"), a.local()); diff != "" {
		t.Errorf("the tree (-want +got):\n%s", diff)
	}
	a.srv.Switch()
	a.settle()
	a.expect(append(want, "INBOX/new:")...)
}

// TestCappedAnswers: FETCH and SEARCH say OK after the first messages. The rest is
// asked for in pieces, and what is really gone is told from what was left out.
func TestCappedAnswers(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{})
	var want []string
	for i := range 620 {
		token := fmt.Sprintf("m%03d", i)
		a.deliver("INBOX", token)
		want = append(want, "INBOX/"+token+":")
	}
	a.srv.Switch(quirk.FetchCapped(600), quirk.SearchCapped(600))
	a.clean()
	a.expect(want...)
	a.srv.Expunge("INBOX", a.uid("INBOX", "m007"))
	a.srv.Expunge("INBOX", a.uid("INBOX", "m615"))
	a.settle()
	want = without(want, "INBOX/m007:", "INBOX/m615:")
	a.expect(want...)
	a.srv.Switch()
	a.settle()
	a.expect(want...)
}

// TestCourierNames: all mailboxes lie below INBOX, levels end with a dot, and the
// server creates nothing elsewhere. Folders lie beside INBOX.
func TestCourierNames(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{Delimiter: ".", Prefix: "INBOX."})
	a.srv.CreateMailbox("INBOX.Box.Deep")
	a.srv.Switch(quirk.Old(), quirk.NoUIDNext())
	a.deliver("INBOX", "a")
	a.deliver("INBOX.Box.Deep", "b")
	a.clean()
	if got, want := a.local(), []string{"Box/Deep/b:", "INBOX/a:"}; !slices.Equal(got, want) {
		t.Fatalf("the tree has %q, want %q", got, want)
	}
	a.drop("INBOX", "a")
	a.put("INBOX/Mine", "S", "c")
	a.put("Elsewhere", "", "d")
	a.settle()
	want := []string{"Box/Deep/b:", "Elsewhere/d:", "INBOX/Mine/c:S", "Trash/a:"}
	if got := a.local(); !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
	want = []string{"INBOX.Box.Deep/b:", "INBOX.Elsewhere/d:", "INBOX.Mine/c:S", "INBOX.Trash/a:"}
	if got := a.remote(); !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
}

// TestCourierNamesUntold: the same without NAMESPACE. Folders have the full names,
// and one that the server does not take is reported.
func TestCourierNamesUntold(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{Delimiter: ".", Prefix: "INBOX."})
	a.srv.CreateMailbox("INBOX.Box.Deep")
	a.srv.Switch(quirk.Old(), quirk.NoUIDNext(), quirk.Quirk{Name: "no NAMESPACE", Hide: []string{"NAMESPACE"}})
	a.deliver("INBOX.Box.Deep", "b")
	a.clean()
	a.put("Elsewhere", "", "d")
	a.reports(a.sync(), wantProblem{
		state.ScopeMailbox, state.CauseRefused, "Elsewhere",
		[]string{`create mailbox "Elsewhere"`, "Invalid mailbox name", "rename the folder", "below INBOX"},
	})
	a.must(os.Rename(filepath.Join(a.root, "Elsewhere"), filepath.Join(a.root, "INBOX", "Elsewhere")))
	a.settle()
	want := []string{"INBOX/Box/Deep/b:", "INBOX/Elsewhere/d:"}
	if got := a.local(); !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
}

// TestParents: names that only have children, \Noselect, take no mail and make no
// trouble.
func TestParents(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.CreateMailbox("Parent", `\Noselect`, `\HasChildren`)
	a.srv.CreateMailbox("Parent/Child")
	a.deliver("Parent/Child", "p")
	a.clean()
	a.change()
	a.settle()
	a.expect(append(changed(), "Parent/Child/p:")...)
}

// TestFewFlags: the server keeps neither keywords nor \Deleted. Those flags stay in
// the tree, the others go both ways, and deletions work where MOVE does.
func TestFewFlags(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.Switch(quirk.FewFlags())
	a.clean()
	a.letters("INBOX", "a", "PS")
	a.letters("INBOX", "b", "T")
	a.put("Box", "FP", "n")
	a.drop("INBOX", "d")
	a.srv.SetFlags("INBOX", a.uid("INBOX", "c"), `\Flagged`)
	a.settle()
	rest := []string{"INBOX/c:F", "INBOX/e:", "INBOX/f:", "Trash/d:F", "Box/g:", "Box/h:"}
	for side, want := range map[string][2][]string{
		"tree":   {append(slices.Clone(rest), "INBOX/a:PS", "INBOX/b:T", "Box/n:FP"), a.local()},
		"server": {append(slices.Clone(rest), "INBOX/a:S", "INBOX/b:", "Box/n:F"), a.remote()},
	} {
		slices.Sort(want[0])
		if diff := gocmp.Diff(want[0], want[1]); diff != "" {
			t.Errorf("the %s (-want +got):\n%s", side, diff)
		}
	}
	a.srv.Switch()
	a.settle()
	a.letters("INBOX", "e", "PS")
	a.settle()
	a.both("INBOX/e:PS")
}

// TestExpungeIgnored: what is deleted from Trash stays there, although the server
// says OK. The user hears of it, and it is removed when the server does as it says.
func TestExpungeIgnored(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.deliver("Trash", "t", "u")
	a.clean()
	a.drop("Trash", "t")
	a.srv.Switch(quirk.IgnoredExpunge())
	a.reports(a.sync(), wantProblem{state.ScopeMailbox, state.CauseRefused, "Trash", []string{"did not remove UID 1", "right to expunge"}})
	a.srv.Switch()
	a.final = true
	a.settle()
	if got := strings.Join(a.remote(), " "); strings.Contains(got, "Trash/t") || !strings.Contains(got, "Trash/u") {
		t.Errorf("the server has %s, want u alone in Trash", got)
	}
}

// TestComings: messages come and go all the time, so that nothing can be proven gone.
// Removals wait, everything else goes on.
func TestComings(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.letters("INBOX", "a", "S")
	a.srv.SetFlags("INBOX", a.uid("INBOX", "b"), `\Flagged`)
	a.srv.Expunge("INBOX", a.uid("INBOX", "c"))
	a.drop("INBOX", "d")
	a.deliver("Box", "i")
	a.put("Box", "S", "j")
	a.srv.Switch(quirk.Comings())
	for range 2 {
		a.sync()
	}
	stay := []string{"INBOX/a:S", "INBOX/b:F", "INBOX/e:", "INBOX/f:", "Box/g:", "Box/h:", "Box/i:", "Box/j:S"}
	a.both(stay...)
	if !slices.Contains(a.local(), "INBOX/c:") || !slices.Contains(a.remote(), "INBOX/d:F") {
		t.Errorf("a removal did not wait: the tree has %q, the server %q", a.local(), a.remote())
	}
	a.srv.Switch()
	a.settle()
	a.expect(append(stay, "Trash/d:F")...)
}

// TestDescendingCopyUID: the server names several moved messages in descending order.
// Each of their records gets the UID of its own copy, as the flags show that are set
// afterwards.
func TestDescendingCopyUID(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	q := quirk.DescendingCopyUID()
	a.srv.Switch(q)
	for _, token := range []string{"a", "b", "c"} {
		a.carry("INBOX", token, "Box")
	}
	a.settle()
	a.mattered(q)
	a.letters("Box", "a", "F")
	a.letters("Box", "c", "S")
	a.srv.SetFlags("Box", a.uid("Box", "b"), `\Answered`)
	a.settle()
	a.expect("Box/a:F", "Box/b:R", "Box/c:S", "Box/g:", "Box/h:", "INBOX/d:F", "INBOX/e:", "INBOX/f:")
}

// TestLargeValidityRenumbered: a UIDVALIDITY of more than 32 bits becomes another one
// that differs in the upper bits only. It was called missing, and the mailbox left out;
// cut to what fits, the two numbers would be one, and nobody would look whether the UIDs
// still name the same messages.
func TestLargeValidityRenumbered(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.Switch(quirk.LargeValidity("a large UIDVALIDITY", 1<<40))
	a.clean()
	a.srv.Renumber("INBOX")
	a.srv.Switch(quirk.LargeValidity("another one", 1<<41))
	if report := a.sync(); report.Counts.Rematched != 8 || report.Counts.Downloaded+report.Counts.Uploaded > 0 {
		t.Errorf("after the renumbering %+v, want all 8 messages matched afresh and none transferred", report.Counts)
	}
	a.letters("INBOX", "a", "S")
	a.settle()
	a.expect("INBOX/a:S", "INBOX/b:", "INBOX/c:", "INBOX/d:F", "INBOX/e:", "INBOX/f:", "Box/g:", "Box/h:")
}
