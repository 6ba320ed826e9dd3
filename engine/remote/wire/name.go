package wire

import (
	"strings"
	"unicode/utf16"
)

// DecodeName decodes a mailbox name, or the beginning of one, from the modified
// UTF-7 of RFC 3501, section 5.1.3. go-imap does that everywhere but in the answer
// to NAMESPACE. It returns false for what is not in that form.
func DecodeName(name string) (string, bool) {
	if name == "" {
		return "", true
	}
	if !isMailbox(name) {
		return "", false
	}
	var decoded strings.Builder
	for {
		plain, shifted, found := strings.Cut(name, "&")
		decoded.WriteString(plain)
		if !found {
			return decoded.String(), true
		}
		encoded, rest, _ := strings.Cut(shifted, "-")
		if encoded == "" {
			decoded.WriteByte('&')
		}
		// isMailbox has decoded it already, and found pairs of bytes.
		pairs, _ := mailboxBase64.DecodeString(encoded)
		units := make([]uint16, len(pairs)/2)
		for i := range units {
			units[i] = uint16(pairs[2*i])<<8 | uint16(pairs[2*i+1])
		}
		decoded.WriteString(string(utf16.Decode(units)))
		name = rest
	}
}
