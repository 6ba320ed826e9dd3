package remote

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestDeltaRefuses(t *testing.T) {
	saved := state.Cursor{UIDValidity: 7, UIDNext: 6}
	tests := []struct {
		name   string
		script string
		seen   state.SeenSet
		cause  state.Cause
		scope  state.Scope
	}{
		{
			name: "another generation",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 8] x
				S: $ OK done`,
			cause: state.CauseGeneration, scope: state.ScopeMailbox,
		},
		{
			name: "UIDNEXT went back",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 5] x
				S: $ OK done`,
			cause: state.CauseGeneration, scope: state.ScopeMailbox,
		},
		{
			// Courier tells it only there.
			name: "UIDNEXT went back and stands in STATUS only",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: $ OK done
				C: STATUS "Box" (UIDNEXT)
				S: * STATUS "Box" (UIDNEXT 5)
				S: $ OK done`,
			cause: state.CauseGeneration, scope: state.ScopeMailbox,
		},
		{
			name: "no UIDVALIDITY",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: $ OK done`,
			cause: state.CauseOther, scope: state.ScopeMailbox,
		},
		{
			name: "UIDs that do not last",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * NO [UIDNOTSTICKY] sorry
				S: $ OK done`,
			cause: state.CauseOther, scope: state.ScopeMailbox,
		},
		{
			name: "no such mailbox",
			script: `
				C: SELECT "Box"
				S: $ NO [NONEXISTENT] no
				`,
			cause: state.CauseGone, scope: state.ScopeMailbox,
		},
		{
			name: "a listing that does not end in OK",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 6] x
				S: $ OK done
				C: UID FETCH 1:*
				S: * 1 FETCH (UID 2 FLAGS ())
				S: $ NO [UNAVAILABLE] UID FETCH Server error
				`,
			cause: state.CauseNetwork, scope: state.ScopeMailbox,
		},
		{
			name: "a listing that breaks off",
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 6] x
				S: $ OK done
				C: UID FETCH 1:*
				S: * 1 FETCH (UID 2 FLAGS ())
				S: * BYE going down
				close`,
			cause: state.CauseNetwork, scope: state.ScopeAccount,
		},
		{
			name: "a message whose flags the server never tells",
			script: `
				C: SELECT "Box"
				S: * 1 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 6] x
				S: $ OK done
				C: UID FETCH 1:*
				S: * 1 FETCH (UID 2)
				S: $ OK done
				C: UID FETCH 2 (UID FLAGS)
				S: * 1 FETCH (UID 2)
				S: $ OK done`,
			cause: state.CauseStale, scope: state.ScopeMailbox,
		},
		{
			name: "a known message whose record cannot be read", seen: state.SeenSet{UIDs: state.NewUIDSet(2)},
			script: `
				C: SELECT "Box"
				S: * 1 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 6] x
				S: $ OK done
				C: UID FETCH 1:*
				S: * 1 FETCH (UID 2 FLAGS ())
				S: $ OK done`,
			cause: state.CauseOther, scope: state.ScopeMailbox,
		},
		{
			name: "known messages without a UID", seen: state.SeenSet{UIDs: state.UIDSet{{First: 0, Last: 3}}},
			cause: state.CauseOther, scope: state.ScopeMailbox,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, "", tt.script)
			_, err := c.Delta(t.Context(), "Box", saved, tt.seen)
			cause(t, err, tt.cause, tt.scope)
		})
	}
}

// TestDeltaOfReadOnlyMailbox: what its owner changes is seen, also where the server
// says READ-WRITE of a mailbox in which no flag can be stored, as Cyrus does.
func TestDeltaOfReadOnlyMailbox(t *testing.T) {
	for _, said := range []string{"[READ-ONLY] look, don't touch", "[READ-WRITE] done"} {
		t.Run(said, func(t *testing.T) {
			c := scripted(t, "", `
				C: SELECT "Box"
				S: * 2 EXISTS
				S: * FLAGS (\Seen \Flagged)
				S: * OK [PERMANENTFLAGS ()] none
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 4] x
				S: $ OK `+said+`
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS ())
				S: * 2 FETCH (UID 3 FLAGS ())
				S: $ OK done
				C: NOOP
				S: $ OK done`)
			base := []state.Record{rec(2, state.Seen), rec(3, state.Passed)}
			d, err := c.Delta(t.Context(), "Box", state.Cursor{}, state.SeenOf(base))
			if err != nil {
				t.Fatal(err)
			}
			if !d.Selected.ReadOnly || d.Selected.Permanent != 0 {
				t.Errorf("selected as %+v", d.Selected)
			}
			want := []state.RemoteChange{{Base: base[0]}}
			if diff := cmp.Diff(want, d.Changed); diff != "" {
				t.Errorf("others may change flags here (-want +got):\n%s", diff)
			}
			_, err = c.Store(t.Context(), state.Ref{Mailbox: "Box", UIDValidity: 7}, state.NewUIDSet(2), state.Seen, 0)
			cause(t, err, state.CauseReadOnly, state.ScopeMailbox)
		})
	}
}

// A server that does not tell UIDNEXT at all is no reason to stop.
func TestDeltaWithoutAnyUIDNext(t *testing.T) {
	for name, answer := range map[string]string{
		"it refuses":  "S: $ NO not of an open mailbox",
		"it is mute":  "S: * STATUS \"Box\" ()\nS: $ OK done",
		"it went on":  "S: * STATUS \"Box\" (UIDNEXT 9)\nS: $ OK done",
		"it is equal": "S: * STATUS \"Box\" (UIDNEXT 4)\nS: $ OK done",
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, "", `
				C: SELECT "Box"
				S: * 1 EXISTS
				S: * OK [UIDVALIDITY 7] x
				S: $ OK done
				C: STATUS "Box" (UIDNEXT)
				`+answer+`
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 3 FLAGS ())
				S: $ OK done`)
			d, err := c.Delta(t.Context(), "Box", state.Cursor{UIDValidity: 7, UIDNext: 4}, state.SeenOf([]state.Record{rec(3, 0)}))
			if err != nil {
				t.Fatal(err)
			}
			if d.GoneUnknown || len(d.New)+len(d.Changed)+len(d.Gone) > 0 || d.Selected.UIDNext != 4 {
				t.Errorf("the delta is %+v", d)
			}
		})
	}
}
