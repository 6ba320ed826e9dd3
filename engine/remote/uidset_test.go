package remote

import (
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestUIDsFrom(t *testing.T) {
	tests := []struct {
		name  string
		set   imap.NumSet
		limit uint64
		want  string
		ok    bool
	}{
		{"none", nil, 5, "", true},
		{"empty", imap.UIDSet(nil), 5, "", true},
		{"ranges", imap.UIDSet{{Start: 1, Stop: 3}, {Start: 7, Stop: 7}}, 4, "1:3,7", true},
		{"one too many", imap.UIDSet{{Start: 1, Stop: 3}, {Start: 7, Stop: 7}}, 3, "", false},
		{"touching", imap.UIDSet{{Start: 1, Stop: 3}, {Start: 4, Stop: 5}}, 9, "1:5", true},
		{"the last UID", imap.UIDSet{{Start: 4294967295, Stop: 4294967295}}, 1, "4294967295", true},
		{"all there can be", imap.UIDSet{{Start: 1, Stop: 4294967295}}, 1000, "", false},
		{"star", imap.UIDSet{{Start: 3, Stop: 0}}, 1000, "", false},
		{"sequence numbers", imap.SeqSet{{Start: 1, Stop: 2}}, 1000, "", false},
		{"overlapping", imap.UIDSet{{Start: 1, Stop: 5}, {Start: 3, Stop: 7}}, 1000, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := uidsFrom(tt.set, tt.limit)
			if ok != tt.ok || ok && got.String() != tt.want {
				t.Errorf("got %q, %v; want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestUIDsTo(t *testing.T) {
	if got := uidsTo(state.NewUIDSet(1, 2, 3, 9, 4294967295)).String(); got != "1:3,9,4294967295" {
		t.Errorf("got %q", got)
	}
}

func TestNewUIDs(t *testing.T) {
	set := func(uids ...imap.UID) imap.NumSet { return imap.UIDSetNum(uids...) }
	sources := state.NewUIDSet(3, 4, 9)
	unknown := map[state.UID]state.UID{3: 0, 4: 0, 9: 0}
	tests := []struct {
		name     string
		from, to imap.NumSet
		want     map[state.UID]state.UID
		told     bool
	}{
		{"no COPYUID", nil, nil, unknown, false},
		{"all", set(3, 4, 9), set(20, 21, 22), map[state.UID]state.UID{3: 20, 4: 21, 9: 22}, true},
		{"one was gone", set(3, 9), set(20, 21), map[state.UID]state.UID{3: 20, 9: 21}, true},
		{"different lengths", set(3, 4, 9), set(20, 21), unknown, false},
		{"more than asked for", set(1, 2, 3, 4), set(5, 6, 7, 8), unknown, false},
		{"a bomb", imap.UIDSet{{Start: 1, Stop: 4294967295}}, imap.UIDSet{{Start: 1, Stop: 4294967295}}, unknown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, told := newUIDs(sources, tt.from, tt.to)
			if d := cmp.Diff(tt.want, got); d != "" || told != tt.told {
				t.Errorf("told %v (-want +got):\n%s", told, d)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	server := []imap.Flag{`\seen`, imap.FlagFlagged, "$FORWARDED", `\Recent`, "$Junk", imap.FlagWildcard, `\Deleted`}
	if got, want := flagsFrom(server), state.Seen|state.Flagged|state.Passed|state.Trashed; got != want {
		t.Errorf("flags from the server: %s, want %s", got, want)
	}
	for f := range state.AllFlags + 1 {
		if got := flagsFrom(flagsTo(f)); got != f {
			t.Errorf("%s comes back as %s", f, got)
		}
	}
	if got := permanentFrom([]imap.Flag{imap.FlagSeen, imap.FlagWildcard}); got != state.Seen|state.Passed {
		t.Errorf(`permanent with \*: %s`, got)
	}
	if got := permanentFrom([]imap.Flag{imap.FlagSeen, "Work"}); got != state.Seen {
		t.Errorf(`permanent without \*: %s`, got)
	}
}
