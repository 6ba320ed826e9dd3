package wire

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// repairList repairs what follows "* LIST ". The result is empty when the
// mailbox has a name that go-imap could not read, or not send back.
func repairList(text string) (repaired, note string) {
	p := scanner{text}
	if !p.accept('(') {
		return "", "a LIST response was left out: " + text
	}
	attrs := p.until(")")
	p.accept(')')
	p.skipSpaces()
	delim, ok := p.value()
	if !ok || !isDelimiter(delim) {
		delim = "NIL"
	}
	p.skipSpaces()
	mailbox, ok := mailboxName(&p)
	if !ok {
		return "", "a mailbox was left out because of its name: " + strconv.QuoteToASCII(unquotedOr(p.s, mailbox))
	}
	// What may follow is extended data, which nobody here reads.
	// RFC 5258, section 6.
	return "(" + repairFlags(attrs) + ") " + delim + " " + mailbox, ""
}

func unquotedOr(rest, value string) string {
	if value == "" {
		return rest
	}
	return unquoted(value)
}

// isDelimiter reports whether value is one quoted character.
func isDelimiter(value string) bool {
	return value[0] == '"' && utf8.ValidString(value) && utf8.RuneCountInString(unquoted(value)) == 1
}

// mailboxName reads a mailbox name. The second result is false if it is none
// that go-imap can decode and send back; the first is then what was there.
func mailboxName(p *scanner) (string, bool) {
	var name string
	if p.s != "" && (p.s[0] == '"' || p.s[0] == '{') {
		value, ok := p.value()
		if !ok {
			return "", false
		}
		name = value
	} else {
		name = p.until(" ")
		if !isAtom(strings.ReplaceAll(name, "]", "-")) {
			return name, false
		}
	}
	return name, isMailbox(unquoted(name))
}

// repairStatusData repairs what follows "* STATUS ". The result is empty as in
// repairList.
func repairStatusData(text string) (repaired, note string) {
	p := scanner{text}
	mailbox, ok := mailboxName(&p)
	if !ok {
		return "", "a STATUS response was left out because of the mailbox's name: " +
			strconv.QuoteToASCII(unquotedOr(p.s, mailbox))
	}
	p.skipSpaces()
	if !p.accept('(') {
		return "", "a STATUS response was left out: " + text
	}
	var items []string
	for {
		p.skipSpaces()
		if p.s == "" || p.accept(')') {
			break
		}
		name := strings.ToUpper(p.until(" ()"))
		p.skipSpaces()
		value, ok := p.value()
		if !ok {
			break
		}
		if value, ok = statusItem(name, value); ok {
			items = append(items, name+" "+value)
		}
	}
	return mailbox + " (" + strings.Join(items, " ") + ")", ""
}

// statusItem returns the value of an item as go-imap can read it, and false for an
// item that it cannot.
func statusItem(name, value string) (string, bool) {
	switch name {
	case "UIDVALIDITY":
		return validity(value)
	case "MESSAGES", "UIDNEXT", "UNSEEN", "DELETED":
		return value, isNumber(value, 32)
	case "APPENDLIMIT":
		return value, isNumber(value, 32) || value == "NIL"
	case "SIZE", "DELETED-STORAGE":
		return value, isNumber(value, 63)
	case "HIGHESTMODSEQ":
		return value, isNumber(value, 64)
	}
	return "", false
}

// isMailbox reports whether name is in the modified UTF-7 of RFC 3501, section
// 5.1.3, in the one form that encoding its meaning again would give: go-imap
// decodes names and encodes them anew, and another form would name another
// mailbox.
func isMailbox(name string) bool {
	if name == "" {
		return false
	}
	for afterShift := false; name != ""; {
		if name[0] != '&' {
			if name[0] < 0x20 || name[0] > 0x7e {
				return false
			}
			name, afterShift = name[1:], false
			continue
		}
		encoded, rest, closed := strings.Cut(name[1:], "-")
		if !closed || encoded != "" && (afterShift || !isShifted(encoded)) {
			return false
		}
		name, afterShift = rest, encoded != ""
	}
	return true
}

var mailboxBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").
	WithPadding(base64.NoPadding).Strict()

// isShifted checks the part between "&" and "-".
func isShifted(encoded string) bool {
	if strings.ContainsAny(encoded, "\r\n") {
		return false
	}
	b, err := mailboxBase64.DecodeString(encoded)
	if err != nil || len(b)%2 != 0 {
		return false
	}
	for i := 0; i < len(b); i += 2 {
		r := rune(b[i])<<8 | rune(b[i+1])
		if utf16.IsSurrogate(r) {
			if i += 2; i == len(b) {
				return false
			}
			if utf16.DecodeRune(r, rune(b[i])<<8|rune(b[i+1])) == utf8.RuneError {
				return false
			}
		} else if r >= 0x20 && r <= 0x7e {
			return false
		}
	}
	return true
}
