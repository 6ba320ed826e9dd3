package wire

import (
	"math"
	"strconv"
	"strings"
)

// isAtomByte reports whether go-imap takes b for a part of an atom. It is a
// little wider than RFC 9051, section 9: bytes from 0xa0 on are allowed.
func isAtomByte(b byte) bool {
	switch b {
	case '(', ')', '{', ' ', '%', '*', '"', '\\', ']':
		return false
	}
	return b > 0x1f && (b < 0x7f || b > 0x9f)
}

func isAtom(s string) bool {
	for i := range len(s) {
		if !isAtomByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isNumber reports whether s is an unsigned number of at most that many bits.
func isNumber(s string, bits int) bool {
	if s == "" || s[0] == '+' {
		return false
	}
	_, err := strconv.ParseUint(s, 10, bits)
	return err == nil
}

// cutPrefixFold is strings.CutPrefix regardless of case.
func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// literalAtEnd reports whether the line announces a literal: head is the line
// before the announcement, sync whether the sender waits for permission. A
// number beyond all bounds is returned as math.MaxInt64. RFC 7888, section 4.
func literalAtEnd(line string) (head string, size int64, sync, found bool) {
	if !strings.HasSuffix(line, "}") {
		return "", 0, false, false
	}
	open := strings.LastIndexByte(line, '{')
	if open < 0 {
		return "", 0, false, false
	}
	digits := line[open+1 : len(line)-1]
	digits, plus := strings.CutSuffix(digits, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", 0, false, false
	}
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		size = math.MaxInt64
	}
	return line[:open], size, !plus, true
}

// scanner reads the parts of a response's text. Literals stand in the text as
// they came: {n}, CRLF and n bytes.
type scanner struct {
	s string
}

func (p *scanner) skipSpaces() { p.s = strings.TrimLeft(p.s, " ") }

// take returns the first n bytes and goes on behind them.
func (p *scanner) take(n int) string {
	taken := p.s[:n]
	p.s = p.s[n:]
	return taken
}

// accept goes on behind b if it is next.
func (p *scanner) accept(b byte) bool {
	if p.s == "" || p.s[0] != b {
		return false
	}
	p.s = p.s[1:]
	return true
}

// until returns the text up to the first of the stop bytes, or all of it.
func (p *scanner) until(stop string) string {
	n := strings.IndexAny(p.s, stop)
	if n < 0 {
		n = len(p.s)
	}
	return p.take(n)
}

// scanDepthMax bounds how deep lists may be nested.
const scanDepthMax = 100

// value returns the next quoted string, literal, list or atom as it stands. It
// returns false, and stays where it is, if what comes next is none of them.
func (p *scanner) value() (string, bool) {
	n := valueLen(p.s, scanDepthMax)
	if n <= 0 {
		return "", false
	}
	return p.take(n), true
}

// valueLen returns the length of the value at the beginning of s, or 0.
func valueLen(s string, depth int) int {
	if s == "" || depth == 0 {
		return 0
	}
	switch s[0] {
	case '"':
		return quotedLen(s)
	case '{':
		return literalLen(s)
	case '(':
		return listLen(s, depth)
	}
	n := strings.IndexAny(s, " ()\"{\r\n")
	if n < 0 {
		n = len(s)
	}
	return n
}

func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

func literalLen(s string) int {
	end := strings.Index(s, "\r\n")
	if end < 0 {
		return 0
	}
	head, size, _, found := literalAtEnd(s[:end])
	if !found || head != "" || size > int64(len(s)-end-2) {
		return 0
	}
	return end + 2 + int(size)
}

func listLen(s string, depth int) int {
	for i := 1; i < len(s); {
		switch s[i] {
		case ')':
			return i + 1
		case ' ':
			i++
		default:
			n := valueLen(s[i:], depth-1)
			if n == 0 {
				return 0
			}
			i += n
		}
	}
	return 0
}

// unquoted returns the content of a value: of a quoted string or a literal
// what it stands for, of anything else the value itself.
func unquoted(value string) string {
	switch {
	case strings.HasPrefix(value, `"`):
		var b strings.Builder
		inner := value[1 : len(value)-1]
		for i := 0; i < len(inner); i++ {
			if inner[i] == '\\' && i+1 < len(inner) {
				i++
			}
			b.WriteByte(inner[i])
		}
		return b.String()
	case strings.HasPrefix(value, "{"):
		_, content, _ := strings.Cut(value, "\r\n")
		return content
	}
	return value
}
