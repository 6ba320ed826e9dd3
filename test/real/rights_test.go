package real

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestRights: of a mailbox of which the server takes some changes and refuses others,
// those travel that may, the others stay where they are and are said with every run,
// and other mailboxes go on. When the rights come back, everything travels.
// RFC 4314, section 2.1.
func TestRights(t *testing.T) {
	srv := newServer(t, lab.ACL())
	const all = "lrwstipekxa"
	for _, test := range []struct {
		rights string
		want   []string // of Box and of where its messages go, on the server
		// refused is true when something is.
		refused bool
	}{
		{"lr", []string{"Box/a:", "Box/b:", "Box/c:", "Box/d:"}, true},
		{"lri", []string{"Box/a:", "Box/b:", "Box/c:", "Box/d:"}, true},
		{"lrw", []string{"Box/a:F", "Box/b:", "Box/c:", "Box/d:"}, true},
		{"lrws", []string{"Box/a:F", "Box/b:", "Box/c:S", "Box/d:"}, true},
		{"lrwst", []string{"Box/a:F", "Box/b:", "Box/c:S", "Box/d:"}, true},
		{"lrwste", []string{"Archive/d:", "Box/a:F", "Box/b:", "Box/c:S"}, true},
		{"lrwsti", []string{"Box/a:F", "Box/b:", "Box/c:S", "Box/d:", "Box/mine:"}, true},
		{"lrwstei", []string{"Archive/d:", "Box/a:F", "Box/c:S", "Box/mine:", "Trash/b:"}, false},
	} {
		t.Run(test.rights, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.srv.CreateMailbox(a.user, box)
			a.deliver(box, "a", "b", "c", "d")
			a.clean()
			a.srv.SetACL(a.user, box, test.rights)
			readOnly := !strings.ContainsAny(test.rights, "wste")
			if readOnly || strings.Contains(test.rights, "w") {
				a.letters(box, "a", "F")
			}
			if readOnly || strings.Contains(test.rights, "s") {
				a.letters(box, "c", "S")
			}
			a.drop(box, "b")
			a.carry(box, "d", "Archive")
			a.put(box, "", "mine")
			a.put("INBOX", "", "other")
			want := append(slices.Clone(test.want), "INBOX/other:")
			slices.Sort(want)
			for run := range 3 {
				before := a.local().names()
				report := a.sync()
				a.refusals(report, test.refused)
				if got := a.remote().names(); !slices.Equal(got, want) {
					t.Errorf("the server has %q, want %q", got, want)
				}
				if got := a.local().names(); run > 0 && (report.Counts != (engine.Counts{}) || !slices.Equal(got, before)) {
					t.Errorf("another run did %+v; the tree has %q, had %q", report.Counts, got, before)
				}
			}
			a.srv.SetACL(a.user, box, all)
			a.settle()
			want = []string{"Archive/d:", "Box/a:F", "Box/c:S", "Box/mine:", "INBOX/other:", "Trash/b:"}
			if !readOnly && !strings.Contains(test.rights, "s") {
				want[2] = "Box/c:"
			}
			a.expect(want...)
		})
	}
}

// refusals checks that refused changes, and nothing else, are said, of the mailbox and
// with a word about its owner.
func (a *account) refusals(report engine.Report, want bool) {
	a.Helper()
	if (len(report.Problems) > 0) != want {
		a.Errorf("problems are %+v, want some: %v", report.Problems, want)
	}
	for _, p := range report.Problems {
		if p.Mailbox != box || p.Cause != state.CauseReadOnly || !strings.Contains(string(p.Hint), "owner") {
			a.Errorf("the problem is %+v, want one about the rights on %s", p, box)
		}
	}
}

// TestFlagStoredLater: a flag was set while the mailbox did not store it, and stores it
// now. Nobody took it away; it travels with the next change of its message, or within a day.
func TestFlagStoredLater(t *testing.T) {
	srv := newServer(t, lab.ACL())
	a := newAccount(t, srv)
	a.srv.CreateMailbox(a.user, box)
	a.deliver(box, "a", "b", "c")
	a.clean()
	a.srv.SetACL(a.user, box, "lrsite")
	for _, token := range []string{"a", "b", "c"} {
		a.letters(box, token, "F")
	}
	a.clean()
	a.idle()
	a.srv.SetACL(a.user, box, "lrwstipekxa")
	a.flag(box, "a", "R")
	a.letters(box, "b", "FS")
	a.clean()
	if got, want := a.local().names(), []string{"Box/a:FR", "Box/b:FS", "Box/c:F"}; !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
	a.later(25 * time.Hour)
	a.clean()
	a.expect("Box/a:FR", "Box/b:FS", "Box/c:F")
}
