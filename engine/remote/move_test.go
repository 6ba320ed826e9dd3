package remote

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"mailmoor/state"
)

func TestMove(t *testing.T) {
	tests := []struct {
		name, caps, script string
		want               map[state.UID]state.UID
	}{
		{"all that is told has gone", "MOVE UIDPLUS", `
			C: UID MOVE 1:4 "Dest"
			S: * OK [COPYUID 9 1:3 30:32] moved
			S: * 3 EXPUNGE
			S: * 2 EXPUNGE
			S: * 1 EXPUNGE
			S: $ OK done`, map[state.UID]state.UID{1: 30, 2: 31, 3: 32}},
		{"one of them is still there", "MOVE UIDPLUS", `
			C: UID MOVE 1:4 "Dest"
			S: * OK [COPYUID 9 1:3 30:32] moved
			S: * 3 EXPUNGE
			S: * 1 EXPUNGE
			S: $ OK done
			C: UID FETCH 1:4 (UID FLAGS)
			S: * 1 FETCH (UID 2 FLAGS ())
			S: $ OK done`, map[state.UID]state.UID{1: 30, 3: 32}},
		{"nothing is told, all has gone", "MOVE UIDPLUS", `
			C: UID MOVE 1:4 "Dest"
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: $ OK done`, map[state.UID]state.UID{1: 0, 2: 0, 3: 0, 4: 0}},
		{"nothing is told, some had gone before", "MOVE UIDPLUS", `
			C: UID MOVE 1:4 "Dest"
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: $ OK done`, map[state.UID]state.UID{}},
		{"a server that never tells", "MOVE", `
			C: UID FETCH 1:4 (UID FLAGS)
			S: * 1 FETCH (UID 1 FLAGS ())
			S: * 2 FETCH (UID 2 FLAGS ())
			S: * 3 FETCH (UID 3 FLAGS ())
			S: $ OK done
			C: UID MOVE 1:3 "Dest"
			S: * 3 EXPUNGE
			S: * 1 EXPUNGE
			S: $ OK done
			C: UID FETCH 1:3 (UID FLAGS)
			S: * 1 FETCH (UID 2 FLAGS ())
			S: $ OK done`, map[state.UID]state.UID{1: 0, 3: 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var points []string
			c := scriptedAs(t, tt.caps, opened("4")+tt.script, Options{Log: zerolog.Nop(), Hook: func(p string) { points = append(points, p) }})
			got, _, err := c.Move(t.Context(), box, state.NewUIDSet(1, 2, 3, 4), "Dest")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("what is still there has not been moved (-want +got):\n%s", d)
			}
			if want := []string{"remote: moved"}; !slices.Equal(points, want) {
				t.Errorf("hook points %q, want %q", points, want)
			}
		})
	}
}

// No line of a command is longer than servers take, whatever the UIDs are.
func TestPerCommand(t *testing.T) {
	sets := map[string]state.UIDSet{"one range": {{First: 1, Last: 2500}}, "empty": nil}
	for i := range state.UID(3000) {
		sets["every second"] = sets["every second"].Add(2*i + 1)
		sets["long numbers"] = sets["long numbers"].Add(4294960000 + 2*i)
	}
	for name, set := range sets {
		var all state.UIDSet
		for part := range perCommand(set) {
			if part.Len() > commandMessagesMax || len(part.String()) > commandSetBytesMax {
				t.Errorf("%s: a part of %d messages takes %d bytes", name, part.Len(), len(part.String()))
			}
			for _, r := range part {
				all = all.AddRange(r)
			}
		}
		if !slices.Equal(all, set) {
			t.Errorf("%s: the parts are not the whole", name)
		}
	}
}
