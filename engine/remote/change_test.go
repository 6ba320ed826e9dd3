package remote

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// known is the part of a script in which the generation of Box is asked for.
const known = `
	C: STATUS "Box" (
	S: * STATUS "Box" (MESSAGES 3 UIDNEXT 100 UIDVALIDITY 7)
	S: $ OK done
	`

func TestAppend(t *testing.T) {
	c := scripted(t, "UIDPLUS LITERAL+", known+`
		C: APPEND "Box" ($Forwarded \Seen) " 9-Sep-2001 01:46:40 +0000" {3+}one
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {3+}two
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {5+}three
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {4+}four
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {4+}five
		S: T2 OK [APPENDUID 7 100] done
		S: T4 OK [APPENDUID 8 5] done
		S: T3 NO [OVERQUOTA] full
		S: T5 OK done
		S: T6 NO [TOOBIG] no`)
	got := c.Append(t.Context(), box, []state.Upload{
		message("a", "one", state.Seen|state.Passed), message("b", "two", 0), message("c", "three", 0),
		message("d", "four", 0), message("e", "five", 0),
	})
	want := []state.Uploaded{
		{Key: "a", UID: 100, UIDValidity: 7}, {Key: "b"}, {Key: "c", UID: 5, UIDValidity: 8}, {Key: "d"}, {Key: "e"},
	}
	cause(t, got[1].Err, state.CauseQuota, state.ScopeMailbox)
	cause(t, got[4].Err, state.CauseTooLarge, state.ScopeMessage)
	got[1].Err, got[4].Err = nil, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAppendWithoutLiteralPlus(t *testing.T) {
	c := scripted(t, "APPENDLIMIT=10", known+`
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {3}one
		S: $ OK [APPENDUID 7 100] a server that does not announce UIDPLUS
		C: APPEND "Box" "31-Dec-2037 23:59:59 +0000" {3}two
		S: $ NO [TRYCREATE] no
		C: APPEND "Box" " 1-Jan-1970 00:00:00 +0000" {3}six
		S: $ OK done`)
	late, early := message("b", "two", 0), message("d", "six", 0)
	late.Date, early.Date = 1<<40, -1
	got := c.Append(t.Context(), box, []state.Upload{
		message("a", "one", 0), late, message("c", "eleven byte", 0), early,
	})
	cause(t, got[1].Err, state.CauseGone, state.ScopeMailbox)
	cause(t, got[2].Err, state.CauseTooLarge, state.ScopeMessage)
	got[1].Err, got[2].Err = nil, nil
	want := []state.Uploaded{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "d"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAppendThatIsNotAnswered(t *testing.T) {
	c := scripted(t, "UIDPLUS LITERAL+", known+`
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {3+}one
		C: APPEND "Box" " 9-Sep-2001 01:46:40 +0000" {3+}two
		S: T2 OK [APPENDUID 7 100] done
		S: * BYE going down
		close`)
	got := c.Append(t.Context(), box, []state.Upload{message("a", "one", 0), message("b", "two", 0)})
	if got[0].Err != nil || got[0].UID != 100 {
		t.Errorf("the answered one: %+v", got[0])
	}
	cause(t, got[1].Err, state.CauseUnknown, state.ScopeAccount)
	if got := c.Append(t.Context(), box, []state.Upload{message("c", "six", 0)}); state.ScopeOf(got[0].Err) != state.ScopeAccount {
		t.Errorf("after the end: %v", got[0].Err)
	}
}

// TestAppendOfAChangedFile: a source that has another length than announced
// must neither reach the server as a whole message nor take others with it.
func TestAppendOfAChangedFile(t *testing.T) {
	broken := errors.New("I/O error")
	sources := map[string]io.Reader{
		"shorter":       strings.NewReader("abc"),
		"by one":        strings.NewReader("abcd"),
		"empty":         strings.NewReader(""),
		"longer by one": strings.NewReader("abcdef"),
		"unreadable":    io.MultiReader(strings.NewReader("ab"), errReader{broken}),
		"at its end":    io.MultiReader(strings.NewReader("abcde"), errReader{broken}),
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			var fault *sourceError
			err := writeBody(&out, source, 5)
			if !errors.As(err, &fault) || out.Len() >= 5 {
				t.Errorf("%d bytes were sent, error %v", out.Len(), err)
			}
		})
	}
	for size, text := range []string{"", "a", "ab"} {
		var out strings.Builder
		if err := writeBody(&out, strings.NewReader(text), int64(size)); err != nil || out.String() != text {
			t.Errorf("%q became %q, error %v", text, out.String(), err)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestStore(t *testing.T) {
	c := scripted(t, "", opened("3")+`
		C: NOOP
		S: $ OK done
		C: UID STORE 1:3 +FLAGS (\Flagged \Seen)
		S: * 1 FETCH (UID 1 FLAGS (\Seen \Flagged \Draft))
		S: * 2 FETCH (UID 2 FLAGS (\Seen \Flagged \Draft))
		S: $ OK done
		C: UID STORE 1:3 -FLAGS (\Draft)
		S: * 1 FETCH (UID 1 FLAGS (\Seen \Flagged Work))
		S: * 9 FETCH (UID 9 FLAGS ())
		S: * 2 FETCH (UID 2 MODSEQ (12))
		S: $ OK done
		C: UID FETCH 2:3 (UID FLAGS)
		S: * 2 FETCH (UID 2 FLAGS (\Seen \Flagged))
		S: $ OK done`)
	if err := c.open(box); err != nil {
		t.Fatal(err)
	}
	// The mailbox cannot keep $Forwarded: it must not be sent.
	got, err := c.Store(t.Context(), box, state.NewUIDSet(1, 2, 3), state.Seen|state.Flagged|state.Passed, state.Draft)
	if err != nil {
		t.Fatal(err)
	}
	want := map[state.UID]state.Flags{1: state.Seen | state.Flagged, 2: state.Seen | state.Flagged}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMoveWithoutMove(t *testing.T) {
	const present = `
		C: UID FETCH 1:2 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS ())
		S: * 2 FETCH (UID 2 FLAGS ())
		S: $ OK done
		C: STATUS "Dest" (
		S: * STATUS "Dest" (MESSAGES 0 UIDNEXT 30 UIDVALIDITY 9)
		S: $ OK done
		`
	const expunged = `
		C: UID STORE 1:2 +FLAGS (\Deleted)
		S: * 1 FETCH (UID 1 FLAGS (\Deleted))
		S: * 2 FETCH (UID 2 FLAGS (\Deleted))
		S: $ OK done
		C: UID EXPUNGE 1:2
		S: * 2 EXPUNGE
		S: * 1 EXPUNGE
		S: $ OK done
		C: UID FETCH 1:2 (UID FLAGS)
		S: $ OK done
		`
	after := func(next string) string {
		return `
		C: STATUS "Dest" (
		S: * STATUS "Dest" (MESSAGES 0 UIDNEXT ` + next + ` UIDVALIDITY 9)
		S: $ OK done
		`
	}
	tests := []struct {
		name, caps, script string
		want               map[state.UID]state.UID
		cause              state.Cause
	}{
		{
			"the server lists the copies", "UIDPLUS", present + `
				C: UID COPY 1:2 "Dest"
				S: $ OK [COPYUID 9 1:2 30:31] done` + expunged,
			map[state.UID]state.UID{1: 30, 2: 31},
			0,
		},
		{
			"it does not, and they are there", "UIDPLUS", present + `
				C: UID COPY 1:2 "Dest"
				S: $ OK done` + after("32") + expunged,
			map[state.UID]state.UID{1: 0, 2: 0},
			0,
		},
		{
			"it says OK, and one is missing", "UIDPLUS", present + `
				C: UID COPY 1:2 "Dest"
				S: $ OK done` + after("31"),
			nil, state.CauseUnknown,
		},
		{
			"it refuses", "UIDPLUS", present + `
				C: UID COPY 1:2 "Dest"
				S: $ NO [OVERQUOTA] full`,
			nil, state.CauseQuota,
		},
		{
			"it cannot expunge single messages", "", present + `
				C: UID COPY 1:2 "Dest"
				S: $ OK done` + after("32") + `
				C: UID STORE 1:2 +FLAGS (\Deleted)
				S: * 1 FETCH (UID 1 FLAGS (\Deleted))
				S: * 2 FETCH (UID 2 FLAGS (\Deleted))
				S: $ OK done`,
			map[state.UID]state.UID{1: 0, 2: 0},
			0,
		},
		{
			"it does not mark what was copied", "UIDPLUS", present + `
				C: UID COPY 1:2 "Dest"
				S: $ OK [COPYUID 9 1:2 30:31] done
				C: UID STORE 1:2 +FLAGS (\Deleted)
				S: * 1 FETCH (UID 1 FLAGS (\Deleted))
				S: * 2 FETCH (UID 2 FLAGS ())
				S: $ OK done`,
			nil, state.CauseRefused,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, tt.caps, opened("2")+tt.script)
			got, _, err := c.Move(t.Context(), box, state.NewUIDSet(1, 2), "Dest")
			if tt.cause != 0 {
				cause(t, err, tt.cause, state.ScopeMailbox)
			} else if err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 || len(tt.want) > 0 {
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
		})
	}
}

func TestExpungeThatLeavesSomething(t *testing.T) {
	c := scripted(t, "UIDPLUS", opened("2")+`
		C: UID STORE 1:2 +FLAGS (\Deleted)
		S: * 1 FETCH (UID 1 FLAGS (\Deleted))
		S: * 2 FETCH (UID 2 FLAGS (\Deleted))
		S: $ OK done
		C: UID EXPUNGE 1:2
		S: * 2 EXPUNGE
		S: $ OK done
		C: UID FETCH 1:2 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS (\Deleted))
		S: $ OK done`)
	removed, err := c.Expunge(t.Context(), box, state.NewUIDSet(1, 2))
	cause(t, err, state.CauseRefused, state.ScopeMailbox)
	if removed {
		t.Error("it is said to have removed all")
	}
}

// TestCreateNamesThePlace: the hint is right on a connection that has not asked for
// the namespaces before. It was another one in each round, and the problem was said twice.
func TestCreateNamesThePlace(t *testing.T) {
	err := scripted(t, "NAMESPACE", `
		C: CREATE "Box"
		S: $ NO [CANNOT] bad name
		C: LIST "" "Box"
		S: $ OK done
		C: NAMESPACE
		S: * NAMESPACE (("INBOX." ".")) NIL NIL
		S: $ OK done`).Create(t.Context(), "Box")
	cause(t, err, state.CauseRefused, state.ScopeMailbox)
	var e *state.Error
	if !errors.As(err, &e) || !strings.Contains(string(e.Hint), `below "INBOX."`) {
		t.Errorf("%v does not say where: %q", err, e.Hint)
	}
}

func TestCreate(t *testing.T) {
	tests := []struct {
		name, script string
		cause        state.Cause
		fails        bool
	}{
		{"new", `
			C: CREATE "Box"
			S: $ OK done
			C: SUBSCRIBE "Box"
			S: $ OK done`, 0, false},
		{"there already", `
			C: CREATE "Box"
			S: $ NO [ALREADYEXISTS] no
			C: SUBSCRIBE "Box"
			S: $ NO I know no subscriptions`, 0, false},
		{"there already, says the list", `
			C: CREATE "Box"
			S: $ NO no
			C: LIST "" "Box"
			S: * LIST () "/" Box
			S: $ OK done
			C: SUBSCRIBE "Box"
			S: $ OK done`, 0, false},
		{"refused", `
			C: CREATE "Box"
			S: $ NO [CANNOT] bad name
			C: LIST "" "Box"
			S: * LIST (\NonExistent) "/" Box
			S: $ OK done`, state.CauseRefused, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := scripted(t, "", tt.script).Create(t.Context(), "Box")
			if !tt.fails {
				if err != nil {
					t.Error(err)
				}
				return
			}
			cause(t, err, tt.cause, state.ScopeMailbox)
			var e *state.Error
			if !errors.As(err, &e) || !strings.Contains(string(e.Hint), "rename the folder") {
				t.Errorf("%v does not say what to do: %q", err, e.Hint)
			}
		})
	}
}

func TestNextWithoutUIDNext(t *testing.T) {
	for exists, want := range []state.UID{1, 43} {
		script := `
			C: SELECT "Box"
			S: * ` + fmt.Sprint(exists) + ` EXISTS
			S: * OK [UIDVALIDITY 7] x
			S: $ OK done
			`
		if exists > 0 {
			script += `
			C: FETCH 1 (UID FLAGS)
			S: * 1 FETCH (UID 42 FLAGS ())
			S: $ OK done`
		}
		got, err := scripted(t, "", script).Next(t.Context(), "Box")
		if err != nil || got.UIDNext != want || got.UIDValidity != 7 {
			t.Errorf("with %d messages: %+v, %v", exists, got, err)
		}
	}
}
