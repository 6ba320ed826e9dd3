package plan

import (
	"maps"
	"slices"
	"testing"

	"mailmoor/state"
)

func TestDue(t *testing.T) {
	const now = 1_790_000_000
	mailbox := func(name string, hours int64, messages uint32) Mailbox {
		known := &state.Mailbox{Name: name, Sampled: now - hours*60*60}
		known.Cursor.Messages = messages
		return Mailbox{Name: name, Known: known}
	}
	for _, c := range []struct {
		name      string
		mailboxes []Mailbox
		want      []string
	}{
		{"new ones are listed anyway", []Mailbox{{Name: "new"}}, nil},
		{"after a day", []Mailbox{mailbox("day", 24, 10), mailbox("less", 23, 10)}, []string{"day"}},
		{"never before", []Mailbox{mailbox("never", now/3600, 10)}, []string{"never"}},
		{
			"too many: the oldest first",
			[]Mailbox{mailbox("b", 25, dueMax/2), mailbox("a", 26, dueMax/2), mailbox("c", 24, 1)},
			[]string{"a", "b"},
		},
		{
			"the rest when the first are done",
			[]Mailbox{mailbox("b", 1, dueMax/2), mailbox("a", 1, dueMax/2), mailbox("c", 25, 1)},
			[]string{"c"},
		},
		{"a giant gets its turn", []Mailbox{mailbox("giant", 30, dueMax*5), mailbox("b", 25, 1)}, []string{"giant"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := slices.Sorted(maps.Keys(Due(c.mailboxes, now))); !slices.Equal(got, c.want) {
				t.Errorf("due are %q, want %q", got, c.want)
			}
		})
	}
}
