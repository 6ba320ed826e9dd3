package remote

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// openedWith is the answer to SELECT of a mailbox with two messages.
func openedWith(flags string) string {
	return `
		C: SELECT "Box"
		S: * 2 EXISTS
		S: * OK [UIDVALIDITY 7] x
		S: * OK [UIDNEXT 9] x
		` + flags + `
		S: $ OK [READ-WRITE] done
		`
}

func TestKeywordRule(t *testing.T) {
	for name, test := range map[string]struct {
		flags string
		want  state.KeywordRule
	}{
		"any": {`S: * FLAGS (\Seen old)
			S: * OK [PERMANENTFLAGS (\Seen old \*)] x`, state.KeywordRule{Any: true, Listed: "old"}},
		"only those": {`S: * FLAGS (\Seen old other)
			S: * OK [PERMANENTFLAGS (\Seen old)] x`, state.KeywordRule{Listed: "old"}},
		"unsaid": {`S: * FLAGS (\Seen old other)`, state.KeywordRule{Listed: "old other"}},
		// Gmail lists labels of other programs with a bracket.
		"no atoms": {`S: * FLAGS (\Seen Phishing [Gmail]/x)
			S: * OK [PERMANENTFLAGS (\Seen Phishing [Gmail]/x wahl])] x`, state.KeywordRule{Listed: "Phishing"}},
		"of nobody": {`S: * FLAGS (\Seen old)
			S: * OK [PERMANENTFLAGS ()] x`, state.KeywordRule{Any: true}},
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, "IMAP4rev1", openedWith(test.flags)+`
				C: UID FETCH 1:* (UID FLAGS)
				S: * 1 FETCH (UID 3 FLAGS (\Seen Work a]b \Important work))
				S: * 2 FETCH (UID 8 FLAGS ())
				S: $ OK done`)
			d, err := c.Delta(t.Context(), "Box", state.Cursor{}, state.SeenSet{})
			if err != nil {
				t.Fatal(err)
			}
			if d.Selected.Keywords != test.want {
				t.Errorf("the rule is %+v, want %+v", d.Selected.Keywords, test.want)
			}
			want := []state.RemoteMessage{{UID: 3, Flags: state.Seen, Keywords: "Work"}, {UID: 8}}
			if diff := cmp.Diff(want, d.New); diff != "" {
				t.Errorf("new (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShown: what the mailbox does not store has not gone, and what is known of a
// session is no news.
func TestShown(t *testing.T) {
	listed := storable{keywords: state.KeywordRule{Listed: "a b"}}
	for _, test := range []struct {
		now, base, own, want state.Keywords
	}{
		{"a", "a", "", "a"},
		{"", "a", "", ""},
		{"b", "a", "", "b"},
		{"", "a x", "", "x"},
		{"a x", "a", "", "a x"},
		{"a x", "a", "x", "a"},
		{"a", "a", "x", "a"},
		{"a b", "a", "b", "a b"},
	} {
		r := state.Record{State: state.Paired, Keywords: test.base, LocalKeywords: test.own}
		if got := listed.shown(test.now, r); got != test.want {
			t.Errorf("%q against %q and %q: %q, want %q", test.now, test.base, test.own, got, test.want)
		}
	}
	if got := listed.shown("a", state.Record{State: state.Excluded}); got != "" {
		t.Errorf("a message without a file shows %q", got)
	}
}

func TestAddKeywordsRefused(t *testing.T) {
	const some = `S: * FLAGS (\Seen)
		S: * OK [PERMANENTFLAGS (\Seen \*)] x`
	const shown = `
		C: UID FETCH 3 (UID FLAGS)
		S: * 1 FETCH (UID 3 FLAGS (\Seen b))
		S: $ OK done`
	for name, test := range map[string]struct {
		flags, script string
		add           state.Keywords
		want          map[state.UID]state.Keywords
		cause         state.Cause
	}{
		"one of them": {some, `
			C: UID STORE 3 +FLAGS.SILENT (a b)
			S: $ NO [LIMIT] too many keywords
			C: UID STORE 3 +FLAGS.SILENT (a)
			S: $ NO [LIMIT] too many keywords
			C: UID STORE 3 +FLAGS.SILENT (b)
			S: $ OK done` + shown, "a b", map[state.UID]state.Keywords{3: "b"}, 0},
		"not understood": {some, `
			C: UID STORE 3 +FLAGS.SILENT (a)
			S: $ BAD what` + shown, "a", map[state.UID]state.Keywords{3: "b"}, 0},
		"not allowed": {some, `
			C: UID STORE 3 +FLAGS.SILENT (a)
			S: $ NO [NOPERM] no` + shown, "a", map[state.UID]state.Keywords{3: "b"}, 0},
		"said to be done": {some, `
			C: UID STORE 3 +FLAGS.SILENT (a)
			S: $ OK done` + shown, "a", map[state.UID]state.Keywords{3: "b"}, 0},
		"not stored": {`S: * FLAGS (\Seen b)
			S: * OK [PERMANENTFLAGS (\Seen b)] x`, shown, "a", map[state.UID]state.Keywords{3: "b"}, 0},
		"busy": {some, `
			C: UID STORE 3 +FLAGS.SILENT (a b)
			S: $ NO [INUSE] later`, "a b", nil, state.CauseNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, "IMAP4rev1", openedWith(test.flags)+test.script)
			got, err := c.AddKeywords(t.Context(), state.Ref{Mailbox: "Box", UIDValidity: 7}, state.NewUIDSet(3), test.add)
			if state.CauseOf(err) != test.cause || (err != nil) != (test.cause != 0) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
