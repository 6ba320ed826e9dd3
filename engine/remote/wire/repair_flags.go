package wire

import (
	"fmt"
	"strings"
)

// UnsafeFlagPrefix begins the atoms that stand for keywords which are not
// atoms themselves, like Gmail's with brackets. Such an atom means the same
// keyword each time, but it must never be sent to a server.
const UnsafeFlagPrefix = "$Unsafe-"

// repairFlags turns the inside of a flag list into flags that go-imap reads:
// separated by single spaces, none empty, none quoted, all of them atoms.
func repairFlags(inner string) string {
	var flags []string
	p := scanner{inner}
	for p.skipSpaces(); p.s != ""; p.skipSpaces() {
		raw, ok := "", false
		if p.s[0] == '"' {
			// A server that quotes its flags. (an unnamed one, MailKit's
			// compatibility notes, 2019)
			if raw, ok = p.value(); ok {
				raw = unquoted(raw)
			}
		}
		if !ok {
			raw = p.until(" ")
		}
		if raw != "" {
			flags = append(flags, safeFlag(raw))
		}
	}
	return strings.Join(flags, " ")
}

// safeFlag returns the flag itself if go-imap can read it, else its stand-in.
func safeFlag(flag string) string {
	name := strings.TrimPrefix(flag, `\`)
	if flag == `\*` || isAtom(name) && isASCII(name) {
		return flag
	}
	var b strings.Builder
	b.WriteString(UnsafeFlagPrefix)
	for i := range len(flag) {
		if c := flag[i]; isAtomByte(c) && c < 0x7f && c != '=' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
