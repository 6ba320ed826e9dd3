package state

import (
	"fmt"
	"strconv"
	"strings"
)

// Text is words for the user, on one line. A constant is Text as it stands. All else is made
// by Textf, TextOf, Foreign and Join, which make printable what comes from elsewhere: names of
// mailboxes and files, answers of a server, errors of the system. So nobody else can move
// the cursor or write a line of ours. No other place converts to it: test/tidy looks.
type Text string

const (
	// nameRunesMax bounds what is shown of a name; the middle of a longer one is left out.
	nameRunesMax = 200
	// textRunesMax bounds what is shown of an error's text.
	textRunesMax = 2000
)

// Textf formats like fmt.Sprintf, with a constant format. What it is given counts as
// foreign unless it is Text: a string is a name, which is quoted where it could be taken
// for words of ours; an error is shown as TextOf does.
func Textf(format string, args ...any) Text {
	for i, arg := range args {
		args[i] = shownOf(arg)
	}
	return Text(fmt.Sprintf(format, args...))
}

// TextOf returns the text of an error on one line, "" for nil. Errors that were joined
// stand one after the other.
func TextOf(err error) Text {
	if err == nil {
		return ""
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // what wraps it has words of its own
		return e.text()
	}
	if parts := listed(err); parts != nil {
		texts := make([]Text, 0, len(parts))
		for _, part := range parts {
			texts = append(texts, TextOf(part))
		}
		return Join(texts, "; ")
	}
	return Foreign(err.Error())
}

// Foreign returns a whole text from elsewhere, such as an answer of a server or the value
// of a header field, on one line. Names belong into Textf, which quotes them.
func Foreign(text string) Text { return Text(cut(Printable(text), textRunesMax)) }

// listed returns the errors of which err is nothing but the list, one on each line, as
// errors.Join makes it; nil for any other.
func listed(err error) []error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	lines := make([]string, 0, len(list.Unwrap()))
	for _, part := range list.Unwrap() {
		lines = append(lines, part.Error())
	}
	if err.Error() != strings.Join(lines, "\n") {
		return nil // a sentence around several errors
	}
	return list.Unwrap()
}

// Join puts texts together.
func Join(texts []Text, separator Text) Text {
	var b strings.Builder
	for i, t := range texts {
		if i > 0 {
			b.WriteString(string(separator))
		}
		b.WriteString(string(t))
	}
	return Text(b.String())
}

// Count returns a number with its noun: "1 message", "2 messages". A noun whose plural does
// not end in s is given with both: "mailbox|mailboxes".
func Count[N int | int64](n N, noun string) Text {
	one, more, both := strings.Cut(noun, "|")
	if !both {
		more = one + "s"
	}
	if n == 1 {
		return Text("1 " + one)
	}
	return Textf("%d %s", n, more)
}

// List returns names with commas between them.
func List[S ~string](names []S) Text {
	texts := make([]Text, 0, len(names))
	for _, name := range names {
		texts = append(texts, Textf("%s", string(name)))
	}
	return Join(texts, ", ")
}

// Printable returns text with everything escaped that is not to be seen: it could move the
// cursor, forge lines or turn the direction of writing.
func Printable(text string) string {
	clean := func(r rune) bool { return r != '\uFFFD' && strconv.IsPrint(r) }
	if strings.IndexFunc(text, func(r rune) bool { return !clean(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case clean(r) || strings.HasPrefix(text[i:], "\uFFFD"):
			b.WriteRune(r)
		case r == '\uFFFD':
			fmt.Fprintf(&b, `\x%02x`, text[i])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// shown is an argument of Textf: text is what the verbs s, v and q show of it.
type shown struct {
	value any
	text  string
	name  bool
}

func shownOf(arg any) any {
	switch arg := arg.(type) {
	case nil, int: // a number may be the width of what follows
		return arg
	case Text:
		return shown{value: arg, text: string(arg)}
	case error:
		return shown{value: arg, text: string(TextOf(arg))}
	case fmt.Stringer:
		return shown{value: arg, text: string(Foreign(arg.String()))}
	case []string:
		return shownAll(arg)
	case []any:
		return shownAll(arg)
	}
	// Numbers among them, with verbs of their own.
	return shown{value: arg, text: cut(fmt.Sprint(arg), nameRunesMax), name: true}
}

func shownAll[T any](args []T) []any {
	list := make([]any, 0, len(args))
	for _, arg := range args {
		list = append(list, shownOf(arg))
	}
	return list
}

// Format makes shown a fmt.Formatter.
func (s shown) Format(f fmt.State, verb rune) {
	text := s.text
	switch {
	case verb == 'q', s.name && (verb == 's' || verb == 'v') && !reads(text):
		text = strconv.Quote(text)
	case verb == 's' || verb == 'v':
	default:
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), s.value) // a fmt.State takes everything
		return
	}
	// The width counts, and nothing else: a text is never cut without saying so.
	if width, ok := f.Width(); ok && f.Flag('-') {
		text = fmt.Sprintf("%-*s", width, text)
	} else if ok {
		text = fmt.Sprintf("%*s", width, text)
	}
	_, _ = f.Write([]byte(text))
}

// reads reports whether a name reads as one without quotes: nothing in it passes for the
// end of a name and words after it.
func reads(name string) bool {
	if name == "" || strings.Trim(name, " ") != name || strings.Contains(name, "  ") ||
		strings.ContainsAny(name, "\"`\\") || strings.HasSuffix(name, ":") {
		return false
	}
	for _, end := range []string{": ", "; ", ", ", ". ", "! ", "? "} {
		if strings.Contains(name, end) {
			return false
		}
	}
	return Printable(name) == name
}

// cut leaves out the middle of a text of more than most characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	var starts []int
	for i := range text {
		starts = append(starts, i)
	}
	if len(starts) <= most {
		return text
	}
	head := most * 2 / 3
	tail := most - head - 1
	return text[:starts[head]] + "…" + text[starts[len(starts)-tail]:]
}
