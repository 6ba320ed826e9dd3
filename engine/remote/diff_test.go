package remote

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

func rec(uid state.UID, flags state.Flags) state.Record {
	return state.Record{Mailbox: "INBOX", UID: uid, State: state.DownloadStuck, Flags: flags}
}

func TestDiff(t *testing.T) {
	base := []state.Record{rec(2, state.Seen), rec(3, 0), rec(7, state.Passed)}
	tests := []struct {
		name     string
		list     []listed
		storable state.Flags
		fresh    []state.RemoteMessage
		changed  []state.RemoteChange
	}{
		{name: "nothing listed", storable: state.AllFlags},
		{
			name:     "listed as known",
			list:     []listed{{uid: 2, flags: state.Seen}, {uid: 3, flags: 0}, {uid: 7, flags: state.Passed}},
			storable: state.AllFlags,
		},
		{
			name:     "new before, between and behind",
			list:     []listed{{uid: 1, flags: 0}, {uid: 3, flags: 0}, {uid: 5, flags: state.Flagged}, {uid: 9, flags: 0}},
			storable: state.AllFlags,
			fresh:    []state.RemoteMessage{{UID: 1}, {UID: 5, Flags: state.Flagged}, {UID: 9}},
		},
		{
			name:     "a flag came, a flag went",
			list:     []listed{{uid: 2, flags: 0}, {uid: 3, flags: state.Answered}},
			storable: state.AllFlags,
			changed: []state.RemoteChange{
				{Base: base[0], Flags: 0},
				{Base: base[1], Flags: state.Answered},
			},
		},
		{
			name:     "a flag that the mailbox cannot keep has not been removed",
			list:     []listed{{uid: 7, flags: 0}},
			storable: state.AllFlags &^ state.Passed,
		},
		{
			name:     "nor is it lost when another one changes",
			list:     []listed{{uid: 7, flags: state.Seen}},
			storable: state.AllFlags &^ state.Passed,
			changed:  []state.RemoteChange{{Base: base[2], Flags: state.Passed | state.Seen}},
		},
		{
			name:    "a flag that shows is there, permanent or not",
			list:    []listed{{uid: 3, flags: state.Seen}},
			changed: []state.RemoteChange{{Base: base[1], Flags: state.Seen}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fresh, changed := diff(base, tt.list, storable{flags: tt.storable})
			if d := cmp.Diff(tt.fresh, fresh); d != "" {
				t.Errorf("new (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.changed, changed); d != "" {
				t.Errorf("changed (-want +got):\n%s", d)
			}
		})
	}
}

func TestOrderedKeepsTheYoungerLine(t *testing.T) {
	got := ordered([]listed{{uid: 5, flags: 0}, {uid: 2, flags: state.Seen}, {uid: 5, flags: state.Flagged}, {uid: 2, flags: 0}, {uid: 9, flags: 0}, {uid: 5, flags: state.Draft}})
	want := []listed{{uid: 2, flags: 0}, {uid: 5, flags: state.Draft}, {uid: 9, flags: 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDiffAgainstModel compares the functions with a naive model on arbitrary
// mailboxes: sets of UIDs up to the greatest one, with arbitrary flags.
func TestDiffAgainstModel(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		uids := rapid.OneOf(rapid.Uint32Range(1, 30), rapid.Uint32Range(4294967280, 4294967295))
		flags := rapid.Map(rapid.Uint8Range(0, uint8(state.AllFlags)), func(f uint8) state.Flags { return state.Flags(f) })
		boxes := rapid.MapOf(uids, flags)
		before, now := boxes.Draw(t, "base"), boxes.Draw(t, "now")
		kept := flags.Draw(t, "storable")

		var base []state.Record
		for _, uid := range sortedKeys(before) {
			base = append(base, rec(state.UID(uid), before[uid]))
		}
		var list []listed
		for _, uid := range sortedKeys(now) {
			list = append(list, listed{uid: state.UID(uid), flags: now[uid]})
		}

		fresh, changed := diff(base, list, storable{flags: kept})
		known := state.SeenOf(base).UIDs
		gone := known.Without(uidsOf(list))
		if got := countGone(known, uidsOf(list), uint32(len(now))); got != int64(gone.Len()) {
			t.Errorf("the count says %d are gone, the list says %d", got, gone.Len())
		}
		seen := map[uint32]string{}
		for _, m := range fresh {
			seen[uint32(m.UID)] = "new"
		}
		for _, m := range changed {
			seen[uint32(m.Base.UID)] = "changed"
		}
		for uid := range gone.All() {
			seen[uint32(uid)] = "gone"
		}
		want := map[uint32]string{}
		for uid, f := range now {
			old, known := before[uid]
			switch {
			case !known:
				want[uid] = "new"
			case (old^f)&(kept|f) != 0:
				want[uid] = "changed"
			}
		}
		for uid := range before {
			if _, still := now[uid]; !still {
				want[uid] = "gone"
			}
		}
		if d := cmp.Diff(want, seen); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func sortedKeys[V any](m map[uint32]V) []uint32 {
	var keys []uint32
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
