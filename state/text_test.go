package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain, Grüße, 日本語":    "plain, Grüße, 日本語",
		"\x1b[2J\x1b]0;x\a":    `\x1b[2J\x1b]0;x\a`,
		"a\r\nmailmoor: b":     `a\r\nmailmoor: b`,
		"evil\u202etxt.exe":    `evil\u202etxt.exe`,
		"not \xff UTF-8":       `not \xff UTF-8`,
		"a replacement \uFFFD": "a replacement \uFFFD",
		"c1 \u009b31m":         `c1 \u009b31m`,
		`a back\slash`:         `a back\slash`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestPrintableLetsNothingThrough feeds it everything.
func TestPrintableLetsNothingThrough(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		for _, r := range Printable(text) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Fatalf("%q lets %U through", text, r)
			}
		}
	})
}

// TestTextf: a name that could be taken for words of ours stands in quotes, and Text as
// it is.
func TestTextf(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	for _, test := range []struct {
		got  Text
		want string
	}{
		{Textf("%s: %s", "INBOX", Text("fine: so far")), "INBOX: fine: so far"},
		{Textf("%s", "Lists/Go & co"), "Lists/Go & co"},
		{Textf("%s", Key("1763.a4,S=12")), "1763.a4,S=12"},
		{Textf("%s at %s", "me@example.org", "imap.example.org:993"), "me@example.org at imap.example.org:993"},
		{Textf("%s", "x: fine\n  to repair it, run rm"), `"x: fine\n  to repair it, run rm"`},
		{Textf("%s", "x: fine"), `"x: fine"`},
		{Textf("%s", "Trash "), `"Trash "`},
		{Textf("%s", ""), `""`},
		{Textf("%q of %v", "a\tb", "c\x1b[2J"), `"a\tb" of "c\x1b[2J"`},
		{Textf("%q", []string{"a", "b\n"}), `["a" "b\n"]`},
		{Textf("%d of %5d, %.1f", UID(3), 4, 1.25), "3 of     4, 1.2"},
		{Textf("%-6s|%6s|", "ab", "cd"), "ab    |    cd|"},
		{Textf("%s", NewUIDSet(1, 2, 5)), "1:2,5"},
		{Textf("%s", errors.New("no\nway: at all")), `no\nway: at all`},
		{Textf("%s!", Text("")), "!"},
		{List([]string{"a", "b, c"}), `a, "b, c"`},
		{Foreign("BYE: later\r"), `BYE: later\r`},
		{TextOf(nil), ""},
		{TextOf(errors.Join(errors.New("one"), errors.New("two\n  three"))), `one; two\n  three`},
		{TextOf(fmt.Errorf("%w\nand %w", errors.New("one"), errors.New("two"))), `one\nand two`},
		{TextOf(fmt.Errorf("do it: %w", &Error{Doing: "list", Err: errors.New("a\tb")})), `do it: list: a\tb`},
		{TextOf(&Error{Doing: "list"}), "list"},
		{Textf("%s", long), long[:133] + "…" + long[len(long)-66:]},
	} {
		if string(test.got) != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	if n := utf8.RuneCountInString(string(Foreign(long))); n != textRunesMax {
		t.Errorf("%d characters of a long text are shown, want %d", n, textRunesMax)
	}
}

// FuzzText: whatever goes in, one printable line comes out, and what a verb shows of a
// name can be told from the words around it.
func FuzzText(f *testing.F) {
	f.Add("INBOX")
	f.Add("x: fine\n  to repair it, run rm")
	f.Add("\xff\u202e\x1b]0;x\a")
	f.Fuzz(func(t *testing.T, foreign string) {
		err := fmt.Errorf("read %s: %w", foreign, errors.Join(errors.New(foreign), errors.New("more")))
		for _, text := range []Text{
			Textf("%s %q %v %-20s", foreign, foreign, foreign, foreign), Textf("%s %q", err, []string{foreign}),
			TextOf(err), TextOf(errors.Join(err, err)), Foreign(foreign), List([]string{foreign, foreign}),
			TextOf(&Error{Doing: Textf("open %s", foreign), Err: err}), ProblemOf("", "", err).Text,
		} {
			if Printable(string(text)) != string(text) {
				t.Errorf("%q is not printable", text)
			}
		}
		name := string(Textf("%s", foreign))
		if name[0] != '"' && (strings.Contains(name, ": ") || strings.HasPrefix(name, " ")) {
			t.Errorf("%q is shown as %s, which may be taken for words of ours", foreign, name)
		}
	})
}
