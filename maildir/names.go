package maildir

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Folder paths stand for mailbox names level by level and can be turned back
// into them without a table:
//
//   - %XX is a byte that cannot stand in a file name as it is, or would confuse;
//   - "%-" is an empty level;
//   - a directory whose name ends in "%+" holds only the beginning of a level,
//     which goes on in the directory below.
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

// encodePath returns the path of the folder for a mailbox name.
func encodePath(levels []string) (string, error) {
	if len(levels) == 0 || len(levels) > levelsMax {
		return "", fmt.Errorf("a mailbox name has 1 to %d levels, not %d", levelsMax, len(levels))
	}
	var parts []string
	for i, level := range levels {
		if i == 0 && strings.EqualFold(level, "INBOX") {
			level = "INBOX" // RFC 9051, section 5.1
		}
		parts = append(parts, encodeLevel(level)...)
	}
	path := strings.Join(parts, "/")
	if len(parts) > pathDepthMax || len(path) > pathBytesMax {
		return "", fmt.Errorf("the mailbox name needs a path of %d bytes in %d directories, at most %d in %d are possible",
			len(path), len(parts), pathBytesMax, pathDepthMax)
	}
	return path, nil
}

// encodeLevel returns the directory names, mostly one, that a level becomes.
func encodeLevel(level string) []string {
	if level == "" {
		return []string{emptyLevel}
	}
	var done []string
	var part strings.Builder
	for len(level) > 0 {
		token, n := encodeRune(level)
		if part.Len()+len(token) > componentBytesMax {
			done = append(done, guardEnds(part.String())+continuation)
			part.Reset()
		}
		part.WriteString(token)
		level = level[n:]
	}
	return append(done, guardEnds(part.String()))
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

// decodePath returns the mailbox name that a folder's path stands for.
func decodePath(path string) ([]string, error) {
	var levels []string
	var level strings.Builder
	open := false
	for part := range strings.SplitSeq(path, "/") {
		rest, more := strings.CutSuffix(part, continuation)
		if rest != emptyLevel {
			if err := unescape(&level, rest); err != nil {
				return nil, err
			}
		}
		if open = more; !open {
			levels = append(levels, level.String())
			level.Reset()
		}
	}
	if open {
		return nil, errIncomplete
	}
	if canonical, err := encodePath(levels); err != nil || canonical != path {
		return nil, fmt.Errorf("%w: mailmoor would have written %q", errNoName, canonical)
	}
	return levels, nil
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
