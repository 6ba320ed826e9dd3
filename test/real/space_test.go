package real

import (
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestNamespaces: mailboxes of the account, of another user and of everybody, with
// both usual separators, with and without a prefix for the account's own, in both
// layouts: each becomes a folder and what may travel does.
func TestNamespaces(t *testing.T) {
	for _, test := range []struct {
		name, separator, prefix string
		layout                  maildir.Layout
	}{
		{"slashes", "/", "", maildir.LayoutFS},
		{"dots", ".", "", maildir.LayoutPlus},
		{"dots and a prefix", ".", "INBOX.", maildir.LayoutFS},
		{"slashes and a prefix", "/", "INBOX/", maildir.LayoutPlus},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := lab.Dovecot(t, lab.Separator(test.separator), lab.Prefix(test.prefix), lab.Shares("yes"), lab.Public())
			on := func(levels ...string) string { return strings.Join(levels, test.separator) }
			a := newAccount(t, srv)
			a.layout = test.layout
			a.srv.User("mate")
			for _, name := range []string{"Team", "Read"} {
				a.srv.CreateMailbox("mate", test.prefix+name)
				a.srv.Append("mate", test.prefix+name, nil, time.Unix(start, 0), body("in "+name))
			}
			a.srv.Share("mate", test.prefix+"Team", a.user, "lrswipkxte")
			a.srv.Share("mate", test.prefix+"Read", a.user, "lr")
			a.srv.Publish("News", "lrip")
			a.deliver(on("Public", "News"), "in News")
			a.srv.CreateMailbox(a.user, test.prefix+on("Lists", "go"))
			a.deliver(test.prefix+on("Lists", "go"), "in Lists")
			a.srv.CreateMailbox(a.user, test.prefix+"Trash")
			a.mkfolder("Mine/deep")
			a.put("Mine/deep", "S", "mine")
			a.clean()
			want := []string{
				"Lists/go/in Lists:", "Mine/deep/mine:S", "Public/News/in News:", "shared/mate/Read/in Read:", "shared/mate/Team/in Team:",
			}
			if diff := gocmp.Diff(want, a.local().names()); diff != "" {
				t.Errorf("the tree (-want +got):\n%s", diff)
			}
			a.idle()

			// What others share takes changes as far as the rights go.
			a.put("shared/mate/Team", "F", "reply")
			a.letters("shared/mate/Team", "in Team", "S")
			a.put("shared/mate/Read", "", "refused")
			a.mkfolder("shared/mate/Mine")
			a.mkfolder("Public/Mine")
			for range 2 {
				report := a.sync()
				var about []string
				for _, p := range report.Problems {
					about = append(about, p.Mailbox)
					if p.Hint == "" || p.Scope != state.ScopeMailbox {
						t.Errorf("the problem is %+v, want one with a hint", p)
					}
				}
				slices.Sort(about)
				want := []string{on("Public", "Mine"), on("shared", "mate", "Mine"), on("shared", "mate", "Read")}
				if diff := gocmp.Diff(want, about); diff != "" {
					t.Errorf("problems are about (-want +got):\n%s%+v", diff, report.Problems)
				}
			}
			got := side{}
			for _, name := range []string{"Team", "Read"} {
				for _, m := range a.srv.Messages("mate", test.prefix+name) {
					got[name] = append(got[name], mail{Token: tokenOf(m.Body), Flags: m.Flags.String()})
				}
			}
			if diff := gocmp.Diff([]string{"Read/in Read:", "Team/in Team:S", "Team/reply:F"}, got.names()); diff != "" {
				t.Errorf("the other user has (-want +got):\n%s", diff)
			}
			if got := a.local()["shared/mate/Read"]; len(got) != 2 {
				t.Errorf("what was refused is gone here: %v", got)
			}
		})
	}
}

// TestNamespacesLeftOut: patterns leave out what is not the account's own, and nothing
// is done to its folders from then on.
func TestNamespacesLeftOut(t *testing.T) {
	srv := lab.Dovecot(t, lab.Separator("."), lab.Prefix("INBOX."), lab.Shares("yes"), lab.Public())
	a := newAccount(t, srv)
	a.srv.User("mate")
	a.srv.CreateMailbox("mate", "INBOX.Team")
	a.srv.Append("mate", "INBOX.Team", nil, time.Unix(start, 0), body("a"))
	a.srv.Share("mate", "INBOX.Team", a.user, "lrswipkxte")
	a.srv.Publish("News", "lrws")
	a.deliver("INBOX", "own")
	own := func(o *engine.Options) {
		o.Wanted = func(name string, _ rune, _ state.Role) bool {
			return !strings.HasPrefix(name, "shared.") && !strings.HasPrefix(name, "Public.")
		}
	}
	a.options = own
	a.clean()
	if got := a.local().names(); !slices.Equal(got, []string{"INBOX/own:"}) {
		t.Errorf("the tree has %q", got)
	}
	a.options = nil
	a.clean()
	if got := a.local().names(); !slices.Equal(got, []string{"INBOX/own:", "shared/mate/Team/a:"}) {
		t.Errorf("the tree has %q", got)
	}
	a.options = own
	a.drop("shared/mate/Team", "a")
	a.clean()
	if got := a.srv.Messages("mate", "INBOX.Team"); len(got) != 1 {
		t.Errorf("the other user has %d messages, want what was left out to stay", len(got))
	}
}
