package maildir

import (
	"testing"
	"time"

	"mailmoor/state"
)

// How soon an equal stamp proves something follows from how fine the stamps are.
func TestSettled(t *testing.T) {
	const second = int64(time.Second)
	now := time.Unix(1_800_000_000, 500_000_000)
	at := func(nanos int64) state.DirStamp { return state.DirStamp{Inode: 1, Mtime: nanos, Ctime: nanos} }
	ago := func(d time.Duration) int64 { return now.UnixNano() - int64(d) }
	whole := func(d time.Duration) int64 { return ago(d) / second * second }
	old := at(ago(time.Hour) + 1)
	for name, tt := range map[string]struct {
		newDir, cur state.DirStamp
		want        bool
	}{
		"fine, a moment ago":               {old, at(ago(99 * time.Millisecond)), false},
		"fine, a tenth of a second ago":    {old, at(ago(101 * time.Millisecond)), true},
		"whole seconds, a second ago":      {at(whole(time.Hour)), at(whole(time.Second)), false},
		"whole seconds, three seconds ago": {at(whole(time.Hour)), at(whole(3 * time.Second)), true},
		"one that cannot tell":             {at(whole(time.Hour)), at(ago(time.Second)), false},
		"a time that somebody set":         {old, state.DirStamp{Mtime: ago(time.Second), Ctime: whole(time.Second)}, false},
		"from the future":                  {old, at(ago(-time.Second)), false},
		"none":                             {state.DirStamp{}, state.DirStamp{}, false},
	} {
		if got := settled(state.FolderStamp{New: tt.newDir, Cur: tt.cur}, now); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
