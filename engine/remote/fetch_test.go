package remote

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// arrivals are what Fetch hands out.
type arrivals struct {
	UID   state.UID
	Flags state.Flags
	Date  int64
	Body  string
}

func collect(list *[]arrivals) func(state.Incoming) error {
	return func(in state.Incoming) error {
		body, err := io.ReadAll(in.Body)
		*list = append(*list, arrivals{in.UID, in.Flags, in.Date, string(body)})
		return err
	}
}

func TestFetch(t *testing.T) {
	const date = `INTERNALDATE "09-Sep-2001 01:46:40 +0000"`
	tests := []struct {
		name   string
		script string
		want   []arrivals
	}{
		{
			name: "a body that is NIL is no message",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 3 FETCH (UID 3 FLAGS () ` + date + ` BODY[] "three")
				S: * 1 FETCH (UID 1 FLAGS (\Seen) ` + date + ` BODY[] {3}
				S: one)
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] NIL)
				S: $ OK [EXPUNGEISSUED] done`,
			want: []arrivals{{3, 0, 1_000_000_000, "three"}, {1, state.Seen, 1_000_000_000, "one"}},
		},
		{
			name: "an empty message is one",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 FLAGS () ` + date + ` BODY[] {0}
				S: )
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] "")
				S: $ OK done`,
			want: []arrivals{{1, 0, 1_000_000_000, ""}, {2, 0, 1_000_000_000, ""}},
		},
		{
			name: "an unasked response takes the place of the answer",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 2 FETCH (UID 2 FLAGS (\Flagged))
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] "two")
				S: $ OK done
				C: UID FETCH 2 (UID
				S: * 2 FETCH (UID 2 FLAGS (\Flagged) ` + date + `)
				S: $ OK done
				C: UID FETCH 2 (UID BODY.PEEK[])
				S: * 2 FETCH (UID 2 BODY[] "two")
				S: $ OK done`,
			want: []arrivals{{2, state.Flagged, 1_000_000_000, "two"}},
		},
		{
			name: "a server that sends the body first",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 BODY[] "one" FLAGS (\Seen) ` + date + `)
				S: * 2 FETCH (UID 2 FLAGS () BODY[] "two" ` + date + `)
				S: $ OK done
				C: UID FETCH 1 (UID
				S: * 1 FETCH (UID 1 FLAGS (\Seen) ` + date + `)
				S: $ OK done
				C: UID FETCH 1 (UID BODY.PEEK[])
				S: * 1 FETCH (UID 1 BODY[] "one")
				S: $ OK done
				C: UID FETCH 2 (UID
				S: * 2 FETCH (UID 2 FLAGS () ` + date + `)
				S: $ OK done
				C: UID FETCH 2 (UID BODY.PEEK[])
				S: $ OK done`,
			want: []arrivals{{1, state.Seen, 1_000_000_000, "one"}},
		},
		{
			name: "a message without a date",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] "one")
				S: $ OK done`,
			want: []arrivals{{1, 0, 0, "one"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, "", opened("3")+tt.script)
			var got []arrivals
			if err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), collect(&got)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestFetchNamesTheMessageThatBrokeIt(t *testing.T) {
	const head = `FLAGS () INTERNALDATE "09-Sep-2001 01:46:40 +0000" BODY[]`
	tests := []struct {
		name, script string
		bodies       int
	}{
		{"within a body", `S: * 2 FETCH (UID 2 ` + head + ` {100}
			S: too short
			close`, 2},
		{"instead of a body", `S: * 2 FETCH (UID 2)
			S: * BYE FETCH failed: Internal error
			close`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, "", opened("3")+`
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 `+head+` "one")
				`+tt.script)
			var got []arrivals
			err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), func(in state.Incoming) error {
				// The error of the body gets lost here: Fetch must tell it.
				_ = collect(&got)(in)
				return nil
			})
			cause(t, err, state.CauseNetwork, state.ScopeAccount)
			if err != nil && !strings.Contains(err.Error(), "UID 2 of") {
				t.Errorf("%q does not name UID 2", err)
			}
			if len(got) != tt.bodies {
				t.Errorf("%d bodies were handed out, want %d", len(got), tt.bodies)
			}
			if err := c.Fetch(t.Context(), box, state.NewUIDSet(1), collect(&got)); state.ScopeOf(err) != state.ScopeAccount {
				t.Errorf("the connection is still in use: %v", err)
			}
		})
	}
}

func TestFetchEndsWithTheErrorOfEach(t *testing.T) {
	full := errors.New("no room")
	long := strings.Repeat("x", 10_000)
	c := scripted(t, "", opened("3")+`
		C: UID FETCH 1:3 (UID
		S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] {10000}
		S: `+long+`)
		S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE NIL BODY[] "two")
		S: $ OK done
		C: UID FETCH 3 (UID
		S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE NIL BODY[] "three")
		S: $ OK done`)
	calls := 0
	err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), func(state.Incoming) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
	var got []arrivals
	if err := c.Fetch(t.Context(), box, state.NewUIDSet(3), collect(&got)); err != nil || len(got) != 1 {
		t.Errorf("the connection cannot go on: %v, %v", got, err)
	}
}

// TestFetchGivesUpALongAnswer: nobody waits for megabytes that nobody wants.
func TestFetchGivesUpALongAnswer(t *testing.T) {
	full := errors.New("no room")
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] {60000000}
		S: the rest never comes`)
	err := c.Fetch(t.Context(), box, state.NewUIDSet(1), func(state.Incoming) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	_, err = c.List(t.Context())
	cause(t, err, state.CauseNetwork, state.ScopeAccount)
}
