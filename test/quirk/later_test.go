package quirk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailmoor/state"
	"mailmoor/test/quirk"
)

// TestDeduplicated: the server keeps only one of two equal messages: the upload of the
// second is answered with the UID of the first. No file is lost, the other messages go
// on, and nothing is sent for ever.
func TestDeduplicated(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]string{"both new": {"x", "x", "other"}, "a copy of a known one": {"a", "other"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.srv.Switch(quirk.Deduplicating())
			for _, token := range files {
				a.put("INBOX", "", token)
			}
			a.sync()
			a.both("INBOX/other:", "INBOX/"+files[0]+":")
			changes := a.srv.Changes()
			report := a.sync()
			if n := a.srv.Changes() - changes; n > 0 {
				t.Errorf("%d changes were sent once more: %+v", n, report)
			}
		})
	}
}

// TestFlagKeptLater: the server did not keep a flag when the user set it, and keeps
// such flags now. What it does not show then was never removed by anybody.
func TestFlagKeptLater(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.Switch(quirk.FewFlags())
	a.clean()
	a.letters("INBOX", "a", "PS")
	a.settle()
	a.srv.Switch()
	a.srv.SetFlags("INBOX", a.uid("INBOX", "a"), `\Flagged`, `\Seen`)
	a.sync()
	if got := a.local(); !slices.Contains(got, "INBOX/a:FPS") {
		t.Errorf("the tree has %q, want a with the flags FPS", got)
	}
}

// TestStoreIgnored: the server says OK to STORE and keeps no flags. The user hears of
// it, and the flags are sent when the server keeps them.
func TestStoreIgnored(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.change()
	a.srv.Switch(quirk.IgnoredStore("Box"))
	a.reports(a.sync(), wantProblem{state.ScopeMailbox, state.CauseRefused, "Box", []string{"flags"}})
	a.both(without(changed(), "Box/h:FR")...)
	a.srv.Switch()
	a.settle()
	a.expect(changed()...)
}

// TestHoleElsewhere: a message was moved to a mailbox that does not show it yet. Its
// file stays until that mailbox has been seen whole.
func TestHoleElsewhere(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.deliver("Archive", "p", "q")
	a.clean()
	a.srv.Move("INBOX", a.uid("INBOX", "e"), "Archive")
	a.srv.Switch(quirk.Hole("Archive", 3))
	a.sync()
	if counts(a.local())["e"] == 0 {
		t.Errorf("e is gone from the tree, although Archive was not seen whole: %q", a.local())
	}
	a.srv.Switch()
	a.settle()
	a.both("Archive/e:")
}

// TestNoUID: one message has the UID 0. Removals wait in the whole account, because any
// missing message may be that one; the user hears which it is, all else goes on, and when
// it has a UID again the removals follow.
func TestNoUID(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string][]string{"with ESEARCH": nil, "with SEARCH": {"ESEARCH"}, "without CONDSTORE": {"CONDSTORE"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.change()
			a.srv.Switch(quirk.NoUID("INBOX", a.uid("INBOX", "b")), quirk.Quirk{Name: "less", Hide: hide})
			a.reports(a.sync(), wantProblem{state.ScopeMessage, state.CauseStale, "INBOX", []string{
				"message 2", "UID 0", `From "a@example.org"`, `Subject "b"`, "nothing is removed in the whole account", "move it",
			}})
			a.both("INBOX/a:S", "Box/g:S", "Box/h:FR", "INBOX/i:", "INBOX/j:S", "Mine/k:")
			if got := a.local(); !slices.Contains(got, "INBOX/c:") {
				t.Errorf("c is gone from the tree, although the message without a UID may be it: %q", got)
			}
			a.srv.Switch()
			a.settle()
			a.expect(changed()...)
		})
	}
}

// TestSilence: something is never done, and the server says OK each time. The user
// hears of it.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, q := range []quirk.Quirk{
		quirk.VanishedBody("INBOX", 7), quirk.IgnoredMove(), quirk.Comings(), quirk.Hole("INBOX", 7),
	} {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.change()
			a.srv.Switch(q)
			said := 0
			for range 4 {
				said += len(a.sync().Problems)
			}
			if said == 0 {
				t.Errorf("nothing is said after four runs, while the tree has %q and the server %q", a.local(), a.remote())
			}
		})
	}
}

// TestWindowSlides: the server shows only the newest messages, and the oldest ones
// drop out as new ones arrive. They stay in the tree.
func TestWindowSlides(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{})
	for i := range 50 {
		a.deliver("INBOX", fmt.Sprintf("m%02d", i))
	}
	a.srv.Switch(quirk.Window(50))
	a.clean()
	a.deliver("INBOX", "new1", "new2", "new3")
	a.sync()
	a.deliver("INBOX", "new4")
	// The reason was that of an accident, as soon as one more had left the window.
	if r := a.sync(); len(r.Holds) != 1 || !strings.Contains(string(r.Holds[0].Reason), "the oldest 4 left that window") {
		t.Errorf("holds %+v, want one about four messages outside the window", r.Holds)
	}
	if got := strings.Join(a.local(), " "); !strings.Contains(got, "/m00:") || !strings.Contains(got, "/m02:") {
		t.Errorf("the oldest messages are gone from the tree")
	}
}
