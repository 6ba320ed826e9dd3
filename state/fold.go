package state

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// LevelSet is a set of levels of a mailbox name: bit i stands for level i. What is
// beyond the 64th level is in no set.
type LevelSet uint64

// Has reports whether level i is in the set.
func (s LevelSet) Has(i int) bool { return s>>i&1 != 0 }

// With returns the set with level i in it.
func (s LevelSet) With(i int) LevelSet { return s | 1<<i }

// Fold returns what all names have in common that differ from s in case only, rune
// by rune, as Unicode's simple case folding has it. Bytes that are no UTF-8 stay.
func Fold(s string) string {
	var b strings.Builder
	for n := 0; s != ""; s = s[n:] {
		var r rune
		if r, n = utf8.DecodeRuneInString(s); r == utf8.RuneError && n == 1 {
			b.WriteByte(s[0])
			continue
		}
		b.WriteRune(FoldRune(r))
	}
	return b.String()
}

// FoldRune returns the rune that stands for all that differ from r in case only:
// the first lower-case one of them, so that names in lower case stay as they are.
func FoldRune(r rune) rune {
	if r < utf8.RuneSelf { // whose first lower-case form is their own
		return unicode.ToLower(r)
	}
	found := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		switch lower, is := unicode.IsLower(other), unicode.IsLower(found); {
		case lower && !is, lower == is && other < found:
			found = other
		}
	}
	return found
}

// HasCase reports whether r has other forms that differ in case only.
func HasCase(r rune) bool { return unicode.SimpleFold(r) != r }
