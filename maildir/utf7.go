package maildir

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7Base64 is the Base64 of modified UTF-7. RFC 3501, section 5.1.3.
var utf7Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").
	WithPadding(base64.NoPadding).Strict()

// foreignName returns the mailbox name that another program meant if it wrote its
// names as the server sent them, in modified UTF-7: mbsync, OfflineIMAP and Dovecot do.
// It returns nil when no level is in that form.
func foreignName(levels []string) []string {
	var name []string
	changed := false
	for _, level := range levels {
		decoded, ok := decodeUTF7(level)
		if !ok {
			return nil
		}
		changed = changed || decoded != level
		name = append(name, decoded)
	}
	if !changed {
		return nil
	}
	return name
}

// decodeUTF7 decodes modified UTF-7. It is strict, since a name with an ampersand is
// mostly just that.
func decodeUTF7(s string) (string, bool) {
	var decoded strings.Builder
	for {
		plain, shifted, found := strings.Cut(s, "&")
		if strings.IndexFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
			return "", false
		}
		decoded.WriteString(plain)
		if !found {
			return decoded.String(), true
		}
		encoded, rest, ended := strings.Cut(shifted, "-")
		if !ended {
			return "", false
		}
		if encoded == "" {
			decoded.WriteByte('&')
		}
		pairs, err := utf7Base64.DecodeString(encoded)
		if err != nil || len(pairs)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(pairs)/2)
		for i := range units {
			units[i] = uint16(pairs[2*i])<<8 | uint16(pairs[2*i+1])
		}
		for _, r := range utf16.Decode(units) {
			if r < utf8.RuneSelf || r == utf8.RuneError {
				return "", false
			}
			decoded.WriteRune(r)
		}
		s = rest
	}
}
