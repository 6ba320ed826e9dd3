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
//   - a directory whose name ends in "%+" holds only the beginning of a level,
//     which goes on in the directory below;
//   - a level that is to be kept apart from others that differ in case only has
//     letters escaped; see apart.go.
//
// A path that encodePath would not have produced stands for nothing.
const (
	emptyLevel   = "%-"
	continuation = "%+"
	// componentBytesMax bounds one directory's name before its first and last
	// bytes are escaped and a continuation is appended. The room up to 255
	// bytes is left for what readers append to names.
	componentBytesMax = 190
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

// encodePath returns the path of the folder for a mailbox name, of which the levels
// in apart are kept apart.
func encodePath(levels []string, apart state.LevelSet) (string, error) {
	if len(levels) == 0 || len(levels) > levelsMax {
		return "", fmt.Errorf("a mailbox name has 1 to %d levels, not %d", levelsMax, len(levels))
	}
	var parts []string
	for i, level := range levels {
		if i == 0 && strings.EqualFold(level, "INBOX") {
			parts = append(parts, "INBOX") // RFC 9051, section 5.1
			continue
		}
		parts = append(parts, strings.Split(spelled(level, apart.Has(i), encodeLevel), "/")...)
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
	switch strings.ToLower(part) {
	case "cur", "new", "tmp":
		return escape(part[:1]) + part[1:]
	}
	if strings.HasPrefix(part, ".") || strings.HasPrefix(part, " ") {
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
// its levels are kept apart.
func decodePath(path string) (levels []string, apart state.LevelSet, err error) {
	var level, written strings.Builder
	open := false
	for part := range strings.SplitSeq(path, "/") {
		rest, more := strings.CutSuffix(part, continuation)
		if rest != emptyLevel {
			if err := unescape(&level, rest); err != nil {
				return nil, 0, err
			}
		}
		written.WriteString(part)
		if open = more; open {
			written.WriteByte('/')
			continue
		}
		if written.String() != encodeLevel(level.String(), nil) {
			apart = apart.With(len(levels))
		}
		levels = append(levels, level.String())
		level.Reset()
		written.Reset()
	}
	if open {
		return nil, 0, errIncomplete
	}
	if canonical, err := encodePath(levels, apart); err != nil || canonical != path {
		return nil, 0, notCanonical(levels, encodePath)
	}
	return levels, apart, nil
}

// notCanonical is the error about a path that stands for levels and that mailmoor
// would have written otherwise.
func notCanonical(levels []string, encode func([]string, state.LevelSet) (string, error)) error {
	canonical, err := encode(levels, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoName, err)
	}
	return fmt.Errorf("%w: mailmoor would have written %q", errNoName, canonical)
}

// unescape appends to b what part stands for.
func unescape(b *strings.Builder, part string) error {
	for i := 0; i < len(part); i++ {
		if part[i] != '%' {
			b.WriteByte(part[i])
			continue
		}
		if i+2 >= len(part) {
			return fmt.Errorf("%w: %q ends in an escape", errNoName, part)
		}
		high, low := hexDigit(part[i+1]), hexDigit(part[i+2])
		if high < 0 || low < 0 {
			return fmt.Errorf("%w: %q holds an escape that is none", errNoName, part)
		}
		b.WriteByte(byte(high<<4 | low))
		i += 2
	}
	return nil
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
		if part == "" || part[0] == '.' || strings.Contains(part, "\x00") || reservedName(part) {
			return nil, fmt.Errorf("%q is no folder path", path)
		}
	}
	return parts, nil
}

// reservedName reports whether name is that of a Maildir's own directories.
func reservedName(name string) bool { return name == "cur" || name == "new" || name == "tmp" }
