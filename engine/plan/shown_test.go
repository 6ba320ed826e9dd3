package plan_test

import (
	"testing"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// TestNotShownYet: a message that we have just brought to the server, and that
// no listing has shown, is not gone when a listing lacks it.
func TestNotShownYet(t *testing.T) {
	const now = 1_790_000_000
	for _, test := range []struct {
		name  string
		since int64
		want  int // removals
	}{
		{"shown before", 0, 1},
		{"a minute ago", now - 60, 0},
		{"just under ten minutes ago", now - 599, 0},
		{"ten minutes ago", now - 600, 1},
		{"before the clock was set back", now + 60, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := state.Record{
				Mailbox: "INBOX", UID: 7, Key: "k", State: state.Paired, Since: test.since,
				Content: state.Content{Digest: state.Digest{1}, Header: state.Digest{2}},
			}
			p := plan.Build(plan.Input{
				Limits: plan.DefaultLimits(), Now: now,
				Mailboxes: []plan.Mailbox{{
					Name: "INBOX", Folder: "INBOX", OnServer: true, Paired: 5,
					Known:  &state.Mailbox{Name: "INBOX", Folder: "INBOX", Marker: "m"},
					Local:  &state.LocalDelta{Folder: "INBOX", Count: 5},
					Remote: &state.RemoteDelta{Mailbox: "INBOX", Gone: []state.Record{r}},
				}},
			})
			if len(p.Ops) != test.want {
				t.Errorf("the plan is %+v, want %d removals", p.Ops, test.want)
			}
			if waits := len(p.Open) == 1; waits != (test.want == 0) {
				t.Errorf("open are %q", p.Open)
			}
		})
	}
}
