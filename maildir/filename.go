package maildir

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mailmoor/state"
)

// infoMark begins the info of a message file's name. Info of any other version
// (":1,", ":3,") belongs to others; it counts as part of the key.
const infoMark = ":2,"

// fileName is the name of a message file, taken apart.
type fileName struct {
	key   state.Key
	flags state.Flags
	// others are the info letters that stand for none of the six flags:
	// keywords of Dovecot, or whatever another program put there.
	others string
	// tail is the rest of the info from the first comma on.
	tail string
	// noInfo is true for a name without ":2,".
	noInfo bool
}

// parseFileName takes a name apart. Every name can be taken apart; whether the
// key is usable is for Key.Check to say.
func parseFileName(name string) fileName {
	i := strings.LastIndex(name, infoMark)
	if i < 0 {
		return fileName{key: state.Key(name), noInfo: true}
	}
	letters := name[i+len(infoMark):]
	n := fileName{key: state.Key(name[:i])}
	if comma := strings.IndexByte(letters, ','); comma >= 0 {
		letters, n.tail = letters[:comma], letters[comma:]
	}
	n.flags = state.ParseFlags(letters)
	n.others = otherLetters(letters)
	return n
}

// otherLetters returns the letters that are none of our six flags.
func otherLetters(letters string) string {
	ours := func(r rune) bool { return r < 0x80 && state.ParseFlags(string(r)) != 0 }
	if strings.IndexFunc(letters, func(r rune) bool { return !ours(r) }) < 0 {
		return ""
	}
	var b strings.Builder
	for i := range len(letters) {
		if !ours(rune(letters[i])) {
			b.WriteByte(letters[i])
		}
	}
	return b.String()
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

// info returns the ":2,..." part for these flags, with everything that is not
// ours kept. Letters stand in ASCII order, as Maildir wants them; bytes that are
// no ASCII keep their order, since they may make up longer characters.
func (n fileName) info(flags state.Flags) string {
	letters := []byte(flags.String() + n.others)
	slices.SortStableFunc(letters, func(a, b byte) int {
		return int(min(a, utf8.RuneSelf)) - int(min(b, utf8.RuneSelf))
	})
	return infoMark + string(letters) + n.tail
}

// ignored reports whether an entry of new/ or cur/ is no message: control files
// of readers and servers, and what NFS leaves of removed open files (.nfs...).
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "dovecot")
}
