package maildir

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"mailmoor/state"
)

// Folder paths stand for mailbox names level by level and can be turned back
// into them without a table:
//
//   - %XX is a byte that cannot stand in a file name as it is, or would confuse;
//   - "%-" is an empty level;
//   - a long directory name that ends in "%+" holds only the beginning of a level,
//     which goes on in the directory below;
//   - a level that is to be kept apart from others that differ in case only has
//     letters escaped; see apart.go.
//
// That is how mailmoor writes them. It reads whatever is there: a directory that users,
// readers or older versions named otherwise stands for what is left when its escapes are
// undone, and keeps its name. An escape that is none stands for itself.
const (
	emptyLevel   = "%-"
	continuation = "%+"
	// componentBytesMax bounds one directory's name before its first and last
	// bytes are escaped and a continuation is appended. The room up to 255
	// bytes is left for what readers append to names.
	componentBytesMax = 190
	// tokenBytesMax is the length of a rune whose bytes are all escaped. A level is
	// continued only when the next one finds no room.
	tokenBytesMax = 3 * utf8.UTFMax
	// levelsMax, pathBytesMax and pathDepthMax bound a folder's path; 4096 bytes
	// is what a path may have in all, below a root of any length.
	levelsMax    = 64
	pathBytesMax = 2048
	pathDepthMax = 64
)

var (
	errNoName     = errors.New("the directory's name stands for no mailbox")
	errIncomplete = errors.New("the path ends in the middle of a level")
)

// unfitForWindows are characters that names have on no disk of Windows; those at
// the ends are escaped everywhere.
const unfitForWindows = `"*:<>?\|`

// encodePath returns the path of the folder for a mailbox name, of which the levels
// in apart are kept apart, without the characters in unfit.
func encodePath(levels []string, apart state.LevelSet, unfit string) (string, error) {
	if len(levels) == 0 || len(levels) > levelsMax {
		return "", fmt.Errorf("a mailbox name has 1 to %d levels, not %d", levelsMax, len(levels))
	}
	var parts []string
	for i, level := range levels {
		if i == 0 && strings.EqualFold(level, "INBOX") {
			parts = append(parts, "INBOX") // RFC 9051, section 5.1
			continue
		}
		parts = append(parts, strings.Split(spelled(level, apart.Has(i), unfit, encodeLevel), "/")...)
	}
	path := strings.Join(parts, "/")
	if len(parts) > pathDepthMax || len(path) > pathBytesMax {
		return "", fmt.Errorf("the mailbox name needs a path of %d bytes in %d directories, at most %d in %d are possible",
			len(path), len(parts), pathBytesMax, pathDepthMax)
	}
	return path, nil
}

// encodeLevel returns the path, mostly one directory's name, that a level becomes
// with the letters in marked escaped.
func encodeLevel(level string, marked marks) string {
	if level == "" {
		return emptyLevel
	}
	var done, part strings.Builder
	for i := 0; i < len(level); {
		token, n := encodeRune(level[i:])
		if marked[i] {
			token = escape(level[i : i+n])
		}
		if part.Len()+len(token) > componentBytesMax {
			done.WriteString(guardEnds(part.String()) + continuation + "/")
			part.Reset()
		}
		part.WriteString(token)
		i += n
	}
	return done.String() + guardEnds(part.String())
}

// encodeRune encodes the first rune of s, or the first byte if it begins none,
// and returns how many bytes of s that took.
func encodeRune(s string) (token string, n int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 || r == '/' || r == '%' || confusing(r) {
		return escape(s[:n]), n
	}
	return s[:n], n
}

// confusing reports whether r makes a name look like another one, or garbles a
// terminal.
func confusing(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// guardEnds escapes the first byte of names that are hidden or reserved, and dots
// and spaces at either end, which other systems drop.
func guardEnds(part string) string {
	if reservedName(part) || strings.HasPrefix(part, ".") || strings.HasPrefix(part, " ") {
		part = escape(part[:1]) + part[1:]
	}
	if last := len(part) - 1; strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
		part = part[:last] + escape(part[last:])
	}
	return part
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// decodePath returns the mailbox name that a folder's path stands for, and which of
// its levels do not stand where they would be if they were written plainly.
func decodePath(path, unfit string) (levels []string, apart state.LevelSet, err error) {
	if _, err := splitPath(path); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errNoName, err)
	}
	for rest := path; rest != ""; {
		var written string
		written, rest = cutLevel(rest)
		level, err := decodeLevel(written)
		if err != nil {
			return nil, 0, err
		}
		if len(levels) == 0 && strings.EqualFold(level, "INBOX") {
			level = "INBOX" // of which there is one, however it is written
		} else if state.Fold(written) != state.Fold(spelled(level, false, unfit, encodeLevel)) {
			apart = apart.With(len(levels))
		}
		levels = append(levels, level)
	}
	// What could not be written by us is too much for the hold area, too.
	if _, err := encodePath(levels, 0, unfit); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errNoName, err)
	}
	return levels, apart, nil
}

// cutLevel returns the part of a path that its first level has, and what follows.
func cutLevel(path string) (level, rest string) {
	for end := 0; ; {
		part, _, more := strings.Cut(path[end:], "/")
		end += len(part)
		if !more {
			return path, ""
		}
		if !continues(part) {
			return path[:end], path[end+1:]
		}
		end++
	}
}

// continues reports whether a directory holds only the beginning of a level. What is
// shorter just has a name that ends so.
func continues(part string) bool {
	rest, is := strings.CutSuffix(part, continuation)
	return is && len(rest) > componentBytesMax-tokenBytesMax
}

// decodeLevel returns what one level of a path, mostly one directory's name, stands for.
func decodeLevel(written string) (string, error) {
	var level strings.Builder
	for part := range strings.SplitSeq(written, "/") {
		switch {
		case part == emptyLevel:
		case continues(part):
			unescape(&level, strings.TrimSuffix(part, continuation))
		default:
			unescape(&level, part)
		}
	}
	if continues(written[strings.LastIndexByte(written, '/')+1:]) {
		return "", errIncomplete
	}
	return level.String(), nil
}

// unescape appends to b what part stands for.
func unescape(b *strings.Builder, part string) {
	for i := 0; i < len(part); i++ {
		if part[i] == '%' && i+2 < len(part) {
			if high, low := hexDigit(part[i+1]), hexDigit(part[i+2]); high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(part[i])
	}
}

// hexDigit returns the value of an upper-case hex digit, -1 for anything else.
func hexDigit(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }

// splitPath returns the directory names of a folder's path. It refuses what could
// lead out of the root or into a control directory.
func splitPath(path string) ([]string, error) {
	parts := strings.Split(path, "/")
	if len(parts) > pathDepthMax || len(path) > pathBytesMax {
		return nil, fmt.Errorf("folder path %.80q... is too long", path)
	}
	for _, part := range parts {
		if !directoryName(part) {
			return nil, fmt.Errorf("%q is no folder path", path)
		}
	}
	return parts, nil
}

// directoryName reports whether a directory of folders may have the name.
func directoryName(name string) bool {
	switch {
	case name == "", name == ".", name == "..", reservedName(name), strings.ContainsAny(name, "/\x00"):
		return false
	case strings.EqualFold(name, markerName), strings.EqualFold(name, markerTmpName):
		return false
	}
	return true
}

// reservedName reports whether name is that of a Maildir's own directories.
func reservedName(name string) bool { return name == "cur" || name == "new" || name == "tmp" }
