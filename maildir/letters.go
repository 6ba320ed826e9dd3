package maildir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailmoor/state"
)

// lettersMax is how many keywords can have a letter in file names: a to z. All others
// are known to the state alone.
const lettersMax = 26

// letters says which keyword each letter stands for, "" where it stands for none. It
// is the content of a dovecot-keywords file, which Dovecot and other readers know.
type letters [lettersMax]string

// parseLetters reads a dovecot-keywords file: lines of a number, which is that of the
// letter, and a name. The result is false when not all of it could be understood.
func parseLetters(text string) (l letters, whole bool) {
	whole = true
	for line := range strings.Lines(text) {
		number, name, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		n, err := strconv.Atoi(number)
		switch {
		case err != nil || n < 0 || name == "" || strings.ContainsRune(name, '\x00'):
			whole = false
		case n >= lettersMax: // Dovecot keeps these in its index
		case l[n] != "":
			whole = false
		default:
			l[n] = name
		}
	}
	return l, whole
}

// text is the inverse of parseLetters.
func (l *letters) text() string {
	var b strings.Builder
	for n, name := range l {
		if name != "" {
			fmt.Fprintf(&b, "%d %s\n", n, name)
		}
	}
	return b.String()
}

// of returns the number of the keyword's letter, -1 without one.
func (l *letters) of(name string) int {
	return slices.IndexFunc(l[:], func(n string) bool { return strings.EqualFold(n, name) })
}

// keywords returns what the letters in a file name stand for.
func (l *letters) keywords(text string) state.Keywords {
	if text == "" {
		return ""
	}
	var names []string
	for i := range len(text) {
		if n := letterNumber(text[i]); n >= 0 && l[n] != "" {
			names = append(names, l[n])
		}
	}
	return state.NewKeywords(names...)
}

// letters returns the letters of the keywords that have one.
func (l *letters) letters(k state.Keywords) string {
	var text []byte
	for _, name := range k.Names() {
		if n := l.of(name); n >= 0 {
			text = append(text, byte('a'+n))
		}
	}
	slices.Sort(text)
	return string(text)
}

// explains reports whether every letter stands for something.
func (l *letters) explains(text string) bool { return l.meaningless(text) == "" }

// meaningless returns the letters that stand for nothing.
func (l *letters) meaningless(text string) string {
	return strings.Map(func(r rune) rune {
		if n := letterNumber(byte(r)); r < 0x80 && n >= 0 && l[n] != "" {
			return -1
		}
		return r
	}, text)
}

// has reports whether all of the keywords have letters.
func (l *letters) has(k state.Keywords) bool {
	return !slices.ContainsFunc(k.Names(), func(name string) bool { return l.of(name) < 0 })
}

// letterNumber returns 0 for a to 25 for z, -1 for anything else.
func letterNumber(c byte) int {
	if c < 'a' || c > 'z' {
		return -1
	}
	return int(c - 'a')
}

// letterSet is a set of letters, one bit for each.
type letterSet uint32

// with returns the set with the letters of a file name added.
func (s letterSet) with(text string) letterSet {
	for i := range len(text) {
		if n := letterNumber(text[i]); n >= 0 {
			s |= 1 << n
		}
	}
	return s
}

// lettering is what the letters of one folder stand for.
type lettering struct {
	// own is what the folder's file says.
	own letters
	// owned is true when the file is that of another program, or cannot be
	// understood: then it is only read.
	owned bool
}

// effective is own with what the account's table says of the other letters. In a
// folder that is somebody else's only its own file counts.
func (l lettering) effective(account letters) letters {
	all := l.own
	for n, name := range account {
		if !l.owned && all[n] == "" && name != "" && all.of(name) < 0 {
			all[n] = name
		}
	}
	return all
}

// assign returns the effective table with letters for the keywords as far as there is
// room. used are the letters in the folder's file names: one that stands for nothing
// there belongs to somebody, and would get a meaning that nobody gave it.
func (l lettering) assign(account letters, used letterSet, k state.Keywords) letters {
	all := l.effective(account)
	if l.owned {
		return all
	}
	for _, name := range k.Names() {
		if all.of(name) >= 0 || account.of(name) >= 0 {
			continue // of the account's letter another use is made here
		}
		for n := range all {
			if all[n] == "" && account[n] == "" && used&(1<<n) == 0 {
				all[n] = name
				account[n] = name
				break
			}
		}
	}
	return all
}
