package config

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

// matchCase is a selection and a mailbox.
type matchCase struct {
	patterns  []string
	name      string
	delimiter rune
	virtual   bool
	want      bool
}

func matchCases() []matchCase {
	const gmail = "[Gmail]/All Mail"
	return []matchCase{
		{[]string{"*"}, "a/b/c", '/', false, true},
		{[]string{"%"}, "a", '/', false, true},
		{[]string{"%"}, "a/b", '/', false, false},
		{[]string{"%"}, "a/b", '.', false, true},
		{[]string{"%"}, "a/b", 0, false, true},
		{[]string{"a/%"}, "a/b", '/', false, true},
		{[]string{"a/%"}, "a/b/c", '/', false, false},
		{[]string{"a/*"}, "a", '/', false, false},
		{[]string{"a*"}, "a", '/', false, true},
		{[]string{"a/*"}, "a.b", '.', false, true},
		{[]string{"a.*"}, "a.b", '.', false, true},
		{[]string{"a.*"}, "a/b", '/', false, false},
		{[]string{"a?c"}, "abc", '/', false, true},
		{[]string{"a?c"}, "a/c", '/', false, false},
		{[]string{"a?c"}, "aüc", '/', false, true},
		{[]string{"%/%"}, "a/b", '/', false, true},
		{[]string{"*b*"}, "abba", '/', false, true},
		{[]string{`\*`}, "x", '/', false, false},
		{[]string{`\*`}, "*", '/', false, true},
		{[]string{`\!a`}, "!a", '/', false, true},
		{[]string{"a!"}, "a!", '/', false, true},

		// The last one that fits decides.
		{[]string{"*", "!Spam"}, "Spam", '/', false, false},
		{[]string{"*", "!Spam"}, "Spam/a", '/', false, true},
		{[]string{"*", "!Spam/*"}, "Spam", '/', false, true},
		{[]string{"*", "!Spam*", "Spam/keep"}, "Spam/keep", '/', false, true},
		{[]string{"!Spam", "*"}, "Spam", '/', false, true},
		{[]string{"Work", "Play"}, "Work", '/', false, true},
		{[]string{"Work"}, "Play", '/', false, false},
		{[]string{"work"}, "Work", '/', false, false},

		// INBOX in any case, and nothing else.
		{[]string{"inbox"}, "INBOX", '/', false, true},
		{[]string{"INBOX"}, "inbox", '/', false, true},
		{[]string{"In*"}, "INBOX", '/', false, true},
		{[]string{"inbox/a"}, "INBOX/a", '/', false, true},
		{[]string{"inbox/A"}, "INBOX/a", '/', false, false},
		{[]string{"inbox.a"}, "INBOX.a", '.', false, true},
		{[]string{"inboxes"}, "INBOXES", '/', false, false},
		{[]string{"a/inbox"}, "a/INBOX", '/', false, false},
		{[]string{"*", "!inbox"}, "Inbox", '/', false, false},

		// Virtual mailboxes only by their name.
		{[]string{"*"}, gmail, '/', true, false},
		{[]string{"*"}, gmail, '/', false, true},
		{[]string{"[Gmail]/%"}, gmail, '/', true, false},
		{[]string{"*", gmail}, gmail, '/', true, true},
		{[]string{gmail, "*"}, gmail, '/', true, true},
		{[]string{gmail, "!*All*"}, gmail, '/', true, false},
		{[]string{`what\?`}, "what?", '/', true, true},
	}
}

func TestMailboxesMatch(t *testing.T) {
	for _, c := range matchCases() {
		m, err := parseMailboxes(c.patterns)
		if err != nil {
			t.Fatalf("%q: %v", c.patterns, err)
		}
		if got := m.Match(c.name, c.delimiter, c.virtual); got != c.want {
			t.Errorf("%q on %q (separator %q, virtual %v): got %v, want %v",
				c.patterns, c.name, c.delimiter, c.virtual, got, c.want)
		}
	}
	if (Mailboxes{}).Match("INBOX", '/', false) {
		t.Error("the zero value selects INBOX")
	}
}

// TestPatternAgainstRegexp compares the matching with that of a regular
// expression with the same meaning.
func TestPatternAgainstRegexp(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab/.*%?")), 1, 12, -1).Draw(t, "pattern")
		name := rapid.StringOfN(rapid.RuneFrom([]rune("ab/.")), 0, 12, -1).Draw(t, "name")
		delimiter := rapid.SampledFrom([]rune{'/', '.', 0}).Draw(t, "delimiter")
		other := "(?s:.)"
		slash := "/"
		if delimiter != 0 {
			other = "[^" + string(delimiter) + "]"
			slash = "[/" + string(delimiter) + "]"
		}
		var expression strings.Builder
		for _, r := range text {
			switch r {
			case '/':
				expression.WriteString(slash)
			case '?':
				expression.WriteString(other)
			case '%':
				expression.WriteString(other + "*")
			case '*':
				expression.WriteString("(?s:.)*")
			default:
				expression.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		m, err := parseMailboxes([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile("^" + expression.String() + "$").MatchString(name)
		if got := m.Match(name, delimiter, false); got != want {
			t.Errorf("%q on %q with separator %q: got %v, want %v", text, name, delimiter, got, want)
		}
	})
}

func TestPatternsRoundTrip(t *testing.T) {
	texts := []string{"*", "!Spam/*", `\!odd`}
	m, err := parseMailboxes(texts)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseMailboxes(m.Patterns())
	if err != nil || !m.Equal(again) || m.Equal(everything()) {
		t.Errorf("got %q, %v, want %q", again.Patterns(), err, texts)
	}
}

// TestNamesNamespace: which patterns ask for mailboxes of a namespace by its name.
func TestNamesNamespace(t *testing.T) {
	for _, c := range []struct {
		pattern, prefix string
		delimiter       rune
		want            bool
	}{
		{"shared/*", "shared/", '/', true},
		{"shared/*", "shared.", '.', true},
		{"shared.*", "shared.", '.', true},
		{"shared", "shared/", '/', true},
		{"shared/bob/Team", "shared/", '/', true},
		{"Other Users/%", "Other Users/", '/', true},
		{"a/b/%", "a/b/", '/', true},
		{"#shared", "#shared", 0, true},
		{"*", "shared/", '/', false},
		{"sh*", "shared/", '/', false},
		{"shared*", "shared/", '/', true},
		{"sharedness/*", "shared/", '/', false},
		{"Shared/*", "shared/", '/', false},
		{"!shared/*", "shared/", '/', false},
		{"%/*", "shared/", '/', false},
		{"*", "", '/', false},
		{"/a", "/", '/', false},
	} {
		m, err := parseMailboxes([]string{"*", c.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Names(c.prefix, c.delimiter); got != c.want {
			t.Errorf("%q asks for %q: %v, want %v", c.pattern, c.prefix, got, c.want)
		}
	}
}
