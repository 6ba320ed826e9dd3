package real

import (
	"slices"
	"testing"
	"time"

	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

// TestNothingToDo: the cost of a run follows what changed. A run with nothing to
// do changes no byte on either side, and with CONDSTORE it opens no mailbox.
func TestNothingToDo(t *testing.T) {
	srv := newServer(t)
	for name, c := range map[string]struct {
		hide  []string
		opens bool
	}{
		"CONDSTORE":    {nil, false},
		"no CONDSTORE": {[]string{"CONDSTORE"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, srv, c.hide...)
			a.srv.Load(a.user, "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 60, Seed: 1, MaxSize: 1 << 14})))
			a.deliver("Archive", "a")
			a.deliver("Drafts", "b")
			a.mkfolder("Mine")
			a.put("Mine", "S", "c")
			a.clean()
			a.drop("Archive", "a")
			a.flag("Mine", "c", "F")
			// Our own changes come back once as an echo, and stamps prove nothing
			// while they are young.
			for range 2 {
				a.later(10 * time.Second)
				a.settle()
			}
			a.later(10 * time.Second)
			a.idle()
			if opened := slices.ContainsFunc(a.proxy.Commands(), isOpening); opened != c.opens {
				t.Errorf("a mailbox was opened: %v, want %v; the run sent %q", opened, c.opens, lines(a))
			}
		})
	}
}

// TestIdleRunSeesEverySingleChange is the other half of TestNothingToDo: what is
// not opened must not be missed.
func TestIdleRunSeesEverySingleChange(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b", "c")
	a.clean()
	want := []string{"INBOX/a:", "INBOX/b:", "INBOX/c:"}
	for _, change := range []struct {
		do   func()
		want []string
	}{
		{func() { a.flag("INBOX", "a", "F") }, []string{"INBOX/a:F", "INBOX/b:", "INBOX/c:"}},
		{func() { a.letters("INBOX", "b", "S") }, []string{"INBOX/a:F", "INBOX/b:S", "INBOX/c:"}},
		{func() { a.deliver("Archive", "d") }, []string{"Archive/d:", "INBOX/a:F", "INBOX/b:S", "INBOX/c:"}},
		{func() { a.put("Archive", "", "e") }, []string{"Archive/d:", "Archive/e:", "INBOX/a:F", "INBOX/b:S", "INBOX/c:"}},
		{func() { a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "a")) }, []string{"Archive/d:", "Archive/e:", "INBOX/b:S", "INBOX/c:"}},
		{func() { a.drop("INBOX", "b") }, []string{"Archive/d:", "Archive/e:", "INBOX/c:", "Trash/b:S"}},
	} {
		a.later(10 * time.Second)
		a.expect(want...)
		want = change.want
		change.do()
		a.clean()
		a.later(10 * time.Second)
		a.expect(want...)
	}
}

// TestEditInPlace: an editor wrote into a file without changing its directory.
// In Drafts that is seen in the next run, elsewhere within a day.
func TestEditInPlace(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("Drafts", "a", "b")
	a.deliver("INBOX", "c", "d")
	a.clean()
	a.later(10 * time.Second)
	a.idle()
	a.overwrite("Drafts", "a", "a2")
	a.overwrite("INBOX", "c", "c2")
	a.clean()
	if got := a.remote().names(); !slices.Contains(got, "Drafts/a2:") || slices.Contains(got, "Drafts/a:") {
		t.Errorf("the server has %q, want the new draft instead of the old one", got)
	}
	a.later(25 * time.Hour)
	a.clean()
	a.expect("Drafts/a2:", "Drafts/b:", "INBOX/c2:", "INBOX/d:")
	if held := a.held(); held["a"] != 1 {
		t.Errorf("the hold area has %v, want the old draft", held)
	}
}

func isOpening(c lab.Command) bool { return c.Name == "SELECT" || c.Name == "EXAMINE" }

func lines(a *account) []string {
	var lines []string
	for _, c := range a.proxy.Commands() {
		lines = append(lines, c.Line)
	}
	return lines
}
