package quirk

import (
	"errors"
	"strconv"
	"strings"
)

var errSyntax = errors.New("syntax error")

// Value is one argument of a command: an atom or a string, or else a list.
type Value struct {
	Text   string
	List   []Value
	IsList bool
}

// texts returns the words of a list.
func (v Value) texts() []string {
	var words []string
	for _, item := range v.List {
		words = append(words, item.Text)
	}
	return words
}

// parseValues reads arguments up to the end of text. Literals stand in it behind
// their announcement.
func parseValues(text string) ([]Value, error) {
	values, rest, err := parseUntil(text, false)
	if err == nil && rest != "" {
		err = errSyntax
	}
	return values, err
}

// parseUntil reads values up to the end or, within a list, to its bracket.
func parseUntil(text string, inList bool) (values []Value, rest string, err error) {
	for {
		text = strings.TrimLeft(text, " ")
		if text == "" || text[0] == ')' {
			if inList == (text == "") {
				return nil, text, errSyntax
			}
			if inList {
				text = text[1:]
			}
			return values, text, nil
		}
		var v Value
		if text[0] == '(' {
			v.IsList = true
			v.List, text, err = parseUntil(text[1:], true)
		} else {
			v.Text, text, err = parseText(text)
		}
		if err != nil {
			return nil, text, err
		}
		values = append(values, v)
	}
}

// parseText reads one string or atom. What stands in square brackets belongs to
// the atom, as in BODY[HEADER.FIELDS (TO)].
func parseText(text string) (value, rest string, err error) {
	switch text[0] {
	case '"':
		return parseQuoted(text[1:])
	case '{':
		head, rest, found := strings.Cut(text[1:], "}\r\n")
		size, err := strconv.Atoi(strings.TrimSuffix(head, "+"))
		if err != nil || !found || size > len(rest) {
			return "", text, errSyntax
		}
		return rest[:size], rest[size:], nil
	}
	bracket := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && strings.IndexByte(" ()", c) >= 0:
			return text[:i], text[i:], nil
		}
	}
	return text, "", nil
}

func parseQuoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", errSyntax
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", errSyntax
}

// quoted returns text as a quoted string.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// literal returns text as a literal of the server.
func literal(text string) string { return "{" + strconv.Itoa(len(text)) + "}\r\n" + text }

// inSet returns a function that reports whether a number is in a set such as
// "1,5:7,9:*", where "*" stands for last.
func inSet(set string, last uint32) (func(uint32) bool, error) {
	type span struct{ from, to uint32 }
	var spans []span
	number := func(text string) (uint32, error) {
		if text == "*" {
			return last, nil
		}
		n, err := strconv.ParseUint(text, 10, 32)
		if n == 0 {
			return 0, errSyntax
		}
		return uint32(n), err
	}
	for part := range strings.SplitSeq(set, ",") {
		begin, end, isRange := strings.Cut(part, ":")
		if !isRange {
			end = begin
		}
		from, errFrom := number(begin)
		to, errTo := number(end)
		if errFrom != nil || errTo != nil {
			return nil, errSyntax
		}
		spans = append(spans, span{min(from, to), max(from, to)})
	}
	return func(n uint32) bool {
		for _, s := range spans {
			if s.from <= n && n <= s.to {
				return true
			}
		}
		return false
	}, nil
}
