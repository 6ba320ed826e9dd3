package plan

import (
	"testing"

	"mailmoor/state"
)

// TestRoom: what fits is taken in order, and one message that is too large does not
// stand in the way of smaller ones behind it.
func TestRoom(t *testing.T) {
	const mega = 1 << 20
	r := RoomOf(state.Room{Free: 11 * mega, Total: 50 * mega}, 1000)
	sizes := map[state.UID]int64{1: 4 * mega, 2: 8 * mega, 3: 5 * mega, 4: mega, 6: mega / 2}
	got := r.Take(state.NewUIDSet(1, 2, 3, 4, 5, 6), sizes)
	if want := "1,3,5:6"; got.String() != want {
		t.Errorf("%s are taken, want %s: 10 MiB are left, and 5 has no size", got, want)
	}
	if r.Short != 2 || r.ShortBytes < 9*mega || r.ShortBytes > 9*mega+20<<10 {
		t.Errorf("%d of %d bytes are left out, want 2 of 9 MiB and a little", r.Short, r.ShortBytes)
	}
	for _, test := range []struct {
		disk     state.Room
		messages int
		ample    bool
	}{
		{state.Room{}, 1 << 20, true}, // it does not tell
		{state.Room{Free: 1 << 40, Total: 2 << 40}, 100_000, true},
		{state.Room{Free: 1 << 40, Total: 2 << 40}, 10_000_000, false},
		{state.Room{Free: 66 * mega, Total: 1 << 40}, 4, true},
		{state.Room{Free: 66 * mega, Total: 1 << 40}, 5, false},
		{state.Room{Free: 0, Total: 1 << 40}, 1, false},
	} {
		if ample := RoomOf(test.disk, test.messages) == nil; ample != test.ample {
			t.Errorf("%+v for %d messages: ample is %v", test.disk, test.messages, ample)
		}
	}
	if full := (state.Room{Free: 66 * mega, Total: 1 << 40}); !Admits(full, mega) || Admits(full, 3*mega) || !Admits(state.Room{}, 1<<40) {
		t.Error("2 MiB are left for one of 1 MiB, not for one of 3; what does not tell admits all")
	}
}
