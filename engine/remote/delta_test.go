package remote

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// TestDelta plays conversations with servers of all kinds. The seen set of each
// is UIDs 2 (read), 3 and 5, up to UIDNEXT 6 and mod-sequence 10.
func TestDelta(t *testing.T) {
	base := []state.Record{rec(2, state.Seen), rec(3, 0), rec(5, 0)}
	saved := state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 10, Messages: 3}
	noModSeq := state.Cursor{UIDValidity: 7, UIDNext: 6, Messages: 3}
	selected := func(exists, next, modseq string) string {
		s := `
			C: SELECT "Box"
			S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
			S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] limited
			S: * ` + exists + ` EXISTS
			S: * OK [UIDVALIDITY 7] x
			S: * OK [UIDNEXT ` + next + `] x
			`
		if modseq != "" {
			s += "S: * OK [HIGHESTMODSEQ " + modseq + "] x\n"
		}
		return s + "S: $ OK [READ-WRITE] done\n"
	}
	type gone []state.UID
	tests := []struct {
		name    string
		caps    string
		saved   state.Cursor
		script  string
		fresh   []state.UID
		changed map[state.UID]string
		gone    gone
		unknown bool
		cursor  state.Cursor
	}{
		{
			name: "nothing changed", caps: "CONDSTORE", saved: saved,
			script: selected("3", "6", "10"), cursor: saved,
		},
		{
			name: "new, changed and gone by mod-sequence", caps: "CONDSTORE ESEARCH", saved: saved,
			script: selected("4", "9", "20") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: * 1 FETCH (UID 2 MODSEQ (12) FLAGS (\Recent Work))
				S: * 3 FETCH (UID 6 MODSEQ (14) FLAGS ($forwarded))
				S: $ OK done
				C: UID FETCH 6:* (UID FLAGS)
				S: * 3 FETCH (UID 6 FLAGS ($Forwarded))
				S: * 4 FETCH (UID 8 FLAGS ())
				S: $ OK done
				C: UID SEARCH RETURN (ALL) ALL
				S: * ESEARCH (TAG "$") UID ALL 2:3,6,8
				S: $ OK done
				`,
			fresh: []state.UID{6, 8}, changed: map[state.UID]string{2: ""}, gone: gone{5},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 9, ModSeq: 20, Messages: 4},
		},
		{
			name: "what is new is asked for once", caps: "CONDSTORE", saved: saved,
			script: selected("5", "8", "20") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: * 1 FETCH (UID 2 MODSEQ (12) FLAGS ())
				S: * 4 FETCH (UID 6 MODSEQ (14) FLAGS ())
				S: * 5 FETCH (UID 7 MODSEQ (15) FLAGS ())
				S: $ OK done
				`,
			fresh: []state.UID{6, 7}, changed: map[state.UID]string{2: ""},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 8, ModSeq: 20, Messages: 5},
		},
		{
			name: "no search while the numbers add up", caps: "CONDSTORE", saved: saved,
			script: selected("4", "7", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: $ OK done
				C: UID FETCH 6:* (UID FLAGS)
				S: * 4 FETCH (UID 6 FLAGS ())
				S: $ OK done
				`,
			fresh:  []state.UID{6},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 7, ModSeq: 11, Messages: 4},
		},
		{
			name: "n:* shows the last message although it is below n", caps: "CONDSTORE", saved: saved,
			script: selected("3", "7", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: $ OK done
				C: UID FETCH 6:* (UID FLAGS)
				S: * 3 FETCH (UID 5 FLAGS (\Seen))
				S: $ OK done
				`,
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 7, ModSeq: 11, Messages: 3},
		},
		{
			name: "only deletions", caps: "CONDSTORE", saved: saved,
			script: selected("2", "6", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: $ OK done
				C: UID SEARCH ALL
				S: * SEARCH 5 2
				S: $ OK done
				`,
			gone: gone{3}, cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 11, Messages: 2},
		},
		{
			name: "an empty mailbox is never fetched from", caps: "CONDSTORE", saved: saved,
			script: selected("0", "6", "11"), gone: gone{2, 3, 5},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 11},
		},
		{
			name: "the mod-sequence went back", caps: "CONDSTORE", saved: saved,
			script: selected("2", "6", "2") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 5 FLAGS ())
				S: $ OK done
				`,
			gone: gone{3}, cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 2, Messages: 2},
		},
		{
			name: "a mailbox without mod-sequences", caps: "CONDSTORE", saved: saved,
			script: `
				C: SELECT "Box" (CONDSTORE)
				S: * 3 EXISTS
				S: * FLAGS (\Seen)
				S: * OK [UIDVALIDITY 7] x
				S: * OK [UIDNEXT 6] x
				S: * OK [NOMODSEQ] sorry
				S: $ OK done
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 3 FLAGS ())
				S: * 3 FETCH (UID 5 FLAGS ())
				S: $ OK done
				`,
			cursor: noModSeq,
		},
		{
			name: "messages nobody knew are found", caps: "CONDSTORE", saved: saved,
			script: selected("4", "6", "10") + `
				C: UID SEARCH ALL
				S: * SEARCH 2 3 4 5
				S: $ OK done
				C: UID FETCH 4 (UID FLAGS)
				S: * 3 FETCH (UID 4 FLAGS (\Draft))
				S: $ OK done
				`,
			fresh: []state.UID{4}, cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 10, Messages: 4},
		},
		{
			name: "a search that is cut short proves nothing, the numbers do", caps: "CONDSTORE", saved: saved,
			script: selected("2", "6", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: $ OK done
				C: UID SEARCH ALL
				S: * SEARCH 2
				S: $ OK done
				C: FETCH 1:2 (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 5 FLAGS ())
				S: $ OK done
				`,
			gone: gone{3}, cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 11, Messages: 2},
		},
		{
			name: "an empty search result is no proof either", caps: "CONDSTORE ESEARCH", saved: saved,
			script: selected("2", "6", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: $ OK done
				C: UID SEARCH RETURN (ALL) ALL
				S: $ OK done
				C: FETCH 1:2 (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: $ OK done
				`,
			unknown: true, cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, Messages: 2},
		},
		{
			name: "an answer cut short by MESSAGELIMIT", caps: "CONDSTORE", saved: saved,
			script: selected("3", "6", "11") + `
				C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
				S: * 1 FETCH (UID 2 FLAGS () MODSEQ (11))
				S: $ OK [MESSAGELIMIT 1 2] cut short
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS ())
				S: $ OK [MESSAGELIMIT 1 2] cut short
				C: FETCH 1:3 (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS ())
				S: * 2 FETCH (UID 3 FLAGS (\Flagged))
				S: * 3 FETCH (UID 5 FLAGS ())
				S: $ OK done
				`,
			changed: map[state.UID]string{2: "", 3: "F"},
			cursor:  state.Cursor{UIDValidity: 7, UIDNext: 6, ModSeq: 11, Messages: 3},
		},
		{
			name: "a server that always cuts short", saved: noModSeq,
			script: selected("3", "6", "") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: $ OK done
				C: FETCH 1:3 (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 4 FLAGS ())
				S: $ OK done
				`,
			fresh: []state.UID{4}, unknown: true, cursor: noModSeq,
		},
		{
			name: "a message arrives meanwhile", saved: noModSeq,
			script: selected("3", "6", "") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 3 FLAGS ())
				S: * 3 FETCH (UID 5 FLAGS ())
				S: * 4 EXISTS
				S: $ OK done
				` + selected("4", "7", "") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 3 FLAGS ())
				S: * 3 FETCH (UID 5 FLAGS ())
				S: * 4 FETCH (UID 6 FLAGS ())
				S: $ OK done
				`,
			fresh: []state.UID{6}, cursor: state.Cursor{UIDValidity: 7, UIDNext: 7, Messages: 4},
		},
		{
			name: "a mailbox that never rests", caps: "CONDSTORE", saved: saved,
			script: func() string {
				once := selected("2", "6", "11") + `
					C: UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 10)
					S: * 1 FETCH (UID 2 FLAGS ())
					S: * 2 EXPUNGE
					S: $ OK done
					`
				return once + once + once
			}(),
			changed: map[state.UID]string{2: ""}, unknown: true,
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 6, Messages: 2},
		},
		{
			name: "a line without flags stands in the place of the answer", saved: noModSeq,
			script: selected("3", "6", "") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 2 FETCH (UID 3 MODSEQ (5))
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 3 FLAGS (\Seen))
				S: * 3 FETCH (UID 5 FLAGS ())
				S: $ OK done
				C: UID FETCH 3 (UID FLAGS)
				S: * 2 FETCH (UID 3 FLAGS (\Seen))
				S: $ OK done
				`,
			changed: map[state.UID]string{3: "S"}, cursor: noModSeq,
		},
		{
			name: "a server that gives no UIDNEXT", saved: noModSeq,
			script: `
				C: SELECT "Box"
				S: * 3 EXISTS
				S: * FLAGS (\Seen)
				S: * OK [UIDVALIDITY 7] x
				S: $ OK done
				C: STATUS "Box" (UIDNEXT)
				S: * STATUS "Box" (UIDNEXT 4294967295)
				S: $ OK done
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 2 FLAGS (\Seen))
				S: * 2 FETCH (UID 3 FLAGS ())
				S: * 3 FETCH (UID 4294967294 FLAGS ())
				S: $ OK done
				`,
			fresh: []state.UID{4294967294}, gone: gone{5},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 4294967295, Messages: 3},
		},
		{
			name: "the first time", caps: "CONDSTORE",
			script: selected("1", "9", "30") + `
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 8 FLAGS (\Seen))
				S: $ OK done
				`,
			fresh: []state.UID{8}, gone: gone{2, 3, 5},
			cursor: state.Cursor{UIDValidity: 7, UIDNext: 9, ModSeq: 30, Messages: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, tt.caps, tt.script)
			d, err := c.Delta(t.Context(), "Box", tt.saved, state.SeenOf(base))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Check(); err != nil {
				t.Error(err)
			}
			var fresh []state.UID
			for _, m := range d.New {
				fresh = append(fresh, m.UID)
			}
			var changed map[state.UID]string
			for _, m := range d.Changed {
				if changed == nil {
					changed = map[state.UID]string{}
				}
				changed[m.Base.UID] = m.Flags.String()
			}
			var lost gone
			for _, r := range d.Gone {
				lost = append(lost, r.UID)
			}
			for what, diff := range map[string]string{
				"new":     cmp.Diff(tt.fresh, fresh),
				"changed": cmp.Diff(tt.changed, changed),
				"gone":    cmp.Diff(tt.gone, lost),
				"cursor":  cmp.Diff(tt.cursor, d.Selected.Cursor),
			} {
				if diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
			if d.GoneUnknown != tt.unknown {
				t.Errorf("GoneUnknown is %v", d.GoneUnknown)
			}
		})
	}
}
