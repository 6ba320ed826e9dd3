package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Mailboxes selects mailboxes by patterns. The zero value selects none.
type Mailboxes struct {
	patterns []pattern
}

// pattern is one entry of the list.
type pattern struct {
	text   string // as the user wrote it
	out    bool   // it leaves out what it matches
	tokens []token
}

// token is one step of a pattern.
type token struct {
	kind tokenKind
	r    rune // of a tokenRune
}

type tokenKind uint8

const (
	tokenRune  tokenKind = iota // the rune itself
	tokenSlash                  // the separator of levels, or a slash
	tokenOne                    // any rune but the separator
	tokenLevel                  // any number of runes but the separator
	tokenAll                    // any number of runes
)

// patternBytesMax bounds a pattern. Mailbox names are shorter.
const patternBytesMax = 1000

var (
	errBareNot     = errors.New(`has nothing after "!"`)
	errLongPattern = fmt.Errorf("is longer than %d bytes", patternBytesMax)
	errBackslash   = errors.New(`ends in a backslash; write \\ for a backslash`)
	errOnlyOut     = errors.New(`only leaves out mailboxes and selects none; begin it with "*"`)
)

// everything selects all mailboxes but the virtual ones.
func everything() Mailboxes {
	return Mailboxes{patterns: []pattern{{text: "*", tokens: []token{{kind: tokenAll}}}}}
}

// mailboxes returns a list of patterns.
func (v value) mailboxes() (Mailboxes, error) {
	texts, err := v.list()
	if err != nil {
		return Mailboxes{}, err
	}
	return parseMailboxes(texts)
}

// parseMailboxes returns the selection that the patterns describe.
func parseMailboxes(texts []string) (Mailboxes, error) {
	var m Mailboxes
	selects := false
	for _, text := range texts {
		p, err := parsePattern(text)
		if err != nil {
			return Mailboxes{}, fmt.Errorf("%q %w", clip(text), err)
		}
		selects = selects || !p.out
		m.patterns = append(m.patterns, p)
	}
	if !selects {
		return Mailboxes{}, errOnlyOut
	}
	return m, nil
}

// parsePattern parses one pattern. A backslash takes the next rune literally.
func parsePattern(text string) (pattern, error) {
	if len(text) > patternBytesMax {
		return pattern{}, errLongPattern
	}
	rest, out := strings.CutPrefix(text, "!")
	if rest == "" {
		return pattern{}, errBareNot
	}
	p := pattern{text: text, out: out}
	literal := false
	for _, r := range rest {
		if r == '\\' && !literal {
			literal = true
			continue
		}
		t := token{kind: tokenRune, r: r}
		if !literal {
			t = tokenOf(r)
		}
		p.tokens = append(p.tokens, t)
		literal = false
	}
	if literal {
		return pattern{}, errBackslash
	}
	return p, nil
}

// tokenOf returns what a rune without a backslash stands for.
func tokenOf(r rune) token {
	switch r {
	case '/':
		return token{kind: tokenSlash}
	case '?':
		return token{kind: tokenOne}
	case '%':
		return token{kind: tokenLevel}
	case '*':
		return token{kind: tokenAll}
	}
	return token{kind: tokenRune, r: r}
}

// Patterns returns the patterns as the configuration has them.
func (m Mailboxes) Patterns() []string {
	texts := make([]string, 0, len(m.patterns))
	for _, p := range m.patterns {
		texts = append(texts, p.text)
	}
	return texts
}

// Equal reports whether both have the same patterns in the same order.
func (m Mailboxes) Equal(other Mailboxes) bool {
	return strings.Join(m.Patterns(), "\x00") == strings.Join(other.Patterns(), "\x00")
}

// Match reports whether the mailbox is selected: the last pattern that fits its
// name decides, and without one it is not. name is decoded and complete;
// delimiter is the server's separator of levels, 0 when it has none.
//
// virtual is true for a mailbox that shows messages of others (\All, \Flagged,
// \Important; RFC 6154, section 2). Selecting it would fetch them twice, so only
// a pattern without wildcards does.
func (m Mailboxes) Match(name string, delimiter rune, virtual bool) bool {
	runes := []rune(name)
	selected := false
	for _, p := range m.patterns {
		if virtual && !p.out && p.isWild() {
			continue
		}
		if p.match(runes, delimiter) {
			selected = !p.out
		}
	}
	return selected
}

// Fitting returns those of the patterns that select mailboxes which fit the name, whatever
// later patterns say.
func (m Mailboxes) Fitting(name string, delimiter rune) []string {
	var texts []string
	for _, p := range m.patterns {
		if !p.out && p.match([]rune(name), delimiter) {
			texts = append(texts, p.text)
		}
	}
	return texts
}

// Names reports whether a pattern asks by name for mailboxes whose names begin with
// prefix, which ends in the delimiter: "shared/*" and "shared/bob" ask for "shared/",
// "*" does not.
func (m Mailboxes) Names(prefix string, delimiter rune) bool {
	wanted := []rune(prefix)
	if n := len(wanted) - 1; n >= 0 && wanted[n] == delimiter {
		wanted = wanted[:n]
	}
	for _, p := range m.patterns {
		if !p.out && len(wanted) > 0 && p.begins(wanted, delimiter) {
			return true
		}
	}
	return false
}

// begins reports whether the pattern begins with the whole levels of name, without
// a wildcard.
func (p pattern) begins(name []rune, delimiter rune) bool {
	if len(p.tokens) < len(name) {
		return false
	}
	for i, r := range name {
		if t := p.tokens[i]; t.kind > tokenSlash || !t.fits(r, delimiter, false) {
			return false
		}
	}
	return len(p.tokens) == len(name) || p.tokens[len(name)].fits(delimiter, delimiter, false)
}

// isWild reports whether the pattern can match more than one name.
func (p pattern) isWild() bool {
	for _, t := range p.tokens {
		if t.kind >= tokenOne {
			return true
		}
	}
	return false
}

// match reports whether the whole name fits. It follows all ways through the
// pattern at once, so its time is the product of the lengths at most.
func (p pattern) match(name []rune, delimiter rune) bool {
	folded := foldedRunes(name, delimiter)
	// here[i] is true when the first i tokens fit what has been read so far.
	here, next := make([]bool, len(p.tokens)+1), make([]bool, len(p.tokens)+1)
	here[0] = true
	p.skip(here)
	for at, r := range name {
		clear(next)
		for i, t := range p.tokens {
			if !here[i] || !t.fits(r, delimiter, at < folded) {
				continue
			}
			if t.kind >= tokenLevel {
				next[i] = true
			} else {
				next[i+1] = true
			}
		}
		p.skip(next)
		here, next = next, here
	}
	return here[len(p.tokens)]
}

// skip lets the tokens that may stand for nothing do so.
func (p pattern) skip(reached []bool) {
	for i, t := range p.tokens {
		if reached[i] && t.kind >= tokenLevel {
			reached[i+1] = true
		}
	}
}

// fits reports whether the token can stand for r.
func (t token) fits(r, delimiter rune, fold bool) bool {
	separates := r == delimiter && delimiter != 0
	//exhaustive:enforce
	switch t.kind {
	case tokenRune:
		return r == t.r || fold && unicode.ToUpper(r) == unicode.ToUpper(t.r)
	case tokenSlash:
		return separates || r == '/'
	case tokenOne, tokenLevel:
		return !separates
	case tokenAll:
		return true
	}
	return false
}

// foldedRunes returns how many runes at the beginning of the name are compared
// without regard to case: those of a first level INBOX. RFC 9051, section 5.1.
func foldedRunes(name []rune, delimiter rune) int {
	const inbox = "INBOX"
	n := len(inbox)
	if len(name) < n || !strings.EqualFold(string(name[:n]), inbox) {
		return 0
	}
	if len(name) > n && name[n] != delimiter {
		return 0
	}
	return n
}
