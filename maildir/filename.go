package maildir

import (
	"slices"
	"strings"

	"mailmoor/state"
)

// fileName is the name of a message file, taken apart.
type fileName struct {
	key   state.Key
	flags state.Flags
	// others are the info letters that stand for none of the six flags:
	// keywords of Dovecot, or whatever another program put there.
	others string
	// tail is what follows the letters, from the first byte that is none.
	tail string
	// by is the separator in the name. noInfo is true for a name without one.
	by     Separator
	noInfo bool
}

// parseFileName takes a name apart. Every name can be taken apart; whether the
// key is usable is for Key.Check to say. Some readers append info to info, as mu
// does with "K:2,:2,S" (djcb/mu#2268): the key ends at the first mark, so that
// it stays the message's, and the letters behind the last one are the newest.
func parseFileName(name string) fileName {
	key, by, info, hasInfo := cutInfo(name)
	n := fileName{key: state.Key(key), by: by, noInfo: !hasInfo}
	for more := hasInfo; more; {
		var newer string
		if _, _, newer, more = cutInfo(info); more {
			info = newer
		}
	}
	letters := len(info)
	if end := strings.IndexFunc(info, notLetter); end >= 0 {
		letters = end
	}
	n.flags, n.others, n.tail = state.ParseFlags(info[:letters]), otherLetters(info[:letters]), info[letters:]
	return n
}

// notLetter reports whether r is none of the letters that info may have.
func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

// otherLetters returns the letters that are none of our six flags.
func otherLetters(letters string) string {
	return strings.Map(func(r rune) rune {
		if state.ParseFlags(string(r)) != 0 {
			return -1
		}
		return r
	}, letters)
}

// lowerCase returns the letters from a to z.
func lowerCase(others string) string {
	if others == "" {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, others)
}

// info returns the part from the mark on for these flags, with everything that is not
// ours kept. Letters stand in ASCII order, as Maildir wants them.
func (n fileName) info(by Separator, flags state.Flags) string {
	letters := []byte(flags.String() + n.others)
	slices.Sort(letters)
	return by.mark() + string(letters) + n.tail
}
