package remote

import (
	"strings"
	"testing"

	"mailmoor/state"
)

// TestSizesCount: what the server said of other messages decides whether its word counts
// against one.
func TestSizesCount(t *testing.T) {
	grave, slight := doubt{told: 53, sent: 5}, doubt{told: 53, sent: 50}
	for _, c := range []struct {
		right, wrong int // the message itself is one of the wrong ones
		of           doubt
		want         bool
	}{
		{0, 1, grave, false},   // nothing is known
		{1, 1, grave, true},    // by chance nobody is right to the byte
		{5, 3, grave, true},    // several are cut
		{1, 3, grave, false},   // it is wrong more often than right
		{0, 100, grave, false}, // it is always wrong
		{5, 1, slight, false},
		{20, 1, slight, true},
		{60, 2, slight, true},
		{60, 5, slight, false}, // a server that changes some messages when it sends them
	} {
		s := sizes{c.right, c.wrong}
		if got := s.against(c.of); got != c.want {
			t.Errorf("%+v counts against %+v: %v, want %v", s, c.of, got, c.want)
		}
	}
}

// TestSizesAreCompared plays what is asked for when a message comes short.
func TestSizesAreCompared(t *testing.T) {
	const date = ` INTERNALDATE "09-Sep-2001 01:46:40 +0000"`
	const short = `
		C: UID FETCH 7 (UID
		S: * 3 FETCH (UID 7 FLAGS ()` + date + ` RFC822.SIZE 53 BODY[] "short")
		S: $ OK done
		C: FETCH 1:3 (UID RFC822.SIZE)
		S: * 1 FETCH (UID 4 RFC822.SIZE 3)
		S: * 2 FETCH (UID 5 RFC822.SIZE 9999999)
		S: * 3 FETCH (UID 7 RFC822.SIZE 53)
		S: $ OK done
		C: UID FETCH 4 (UID BODY.PEEK[])
		`
	for _, c := range []struct {
		name, script string
		refused      bool
	}{
		{"the other size is right", `
			S: * 1 FETCH (UID 4 BODY[] "one")
			S: $ OK done`, true},
		{"the other size is wrong", `
			S: * 1 FETCH (UID 4 BODY[] "only")
			S: $ OK done
			C: UID FETCH 7 (UID
			S: * 3 FETCH (UID 7 FLAGS ()` + date + ` RFC822.SIZE 53)
			S: $ OK done
			C: UID FETCH 7 (UID BODY.PEEK[])
			S: * 3 FETCH (UID 7 BODY[] "short")
			S: $ OK done`, false},
		{"the other message cannot be had", `
			S: $ NO not now
			C: UID FETCH 7 (UID
			S: * 3 FETCH (UID 7 FLAGS ()` + date + ` RFC822.SIZE 53)
			S: $ OK done
			C: UID FETCH 7 (UID BODY.PEEK[])
			S: * 3 FETCH (UID 7 BODY[] "short")
			S: $ OK done`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := scripted(t, "", opened("3")+short+c.script)
			var got []arrivals
			err := conn.Fetch(t.Context(), box, state.NewUIDSet(7), collect(&got))
			if !c.refused {
				if err != nil || len(got) != 1 || got[0].Body != "short" || got[0].Date != 1_000_000_000 {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			cause(t, err, state.CauseOther, state.ScopeMessage)
			if len(got) > 0 || !strings.Contains(err.Error(), "the server sends 5 bytes of a message that has 53") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
