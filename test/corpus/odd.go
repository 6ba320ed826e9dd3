package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Odd is a message that breaks rules, or goes to their limits, and that servers may
// therefore store in other bytes, or describe otherwise, than others.
type Odd struct {
	Name string
	// Body has CRLF line ends, except where the lack of them is what is odd.
	Body []byte
}

// Oddities returns one of each kind. Each has its name as its subject, where it has one.
func Oddities() []Odd {
	text := func(fields, body string) []byte { return []byte("From: a@example.org\r\n" + fields + "\r\n" + body) }
	odd := map[string][]byte{
		"CR before line ends":      text("Subject: CR before line ends\r\n", "Text\r\r\nand more\r\r\r\n"),
		"CR in the text":           text("Subject: CR in the text\r\n", "Te\rxt\r\n"),
		"CR after line ends":       text("Subject: CR after line ends\r\n", "Text\r\n\rand more\r\n"),
		"CR at the end":            text("Subject: CR at the end\r\n", "Text\r"),
		"CRs alone":                []byte("From: a@example.org\rSubject: CRs alone\r\rText\rand more\r"),
		"CR in the header":         text("Subject: CR in\r the header\r\nTo: a\rb\r\n", "Text\r\n"),
		"CR before field names":    text("\rSubject: CR before field names\r\nX-A: b\r\n\r c\r\n", "Text\r\n"),
		"CR before all line ends":  []byte("From: a@example.org\r\r\nSubject: CR before all line ends\r\r\n\r\r\nSubject: of the text\r\r\n"),
		"LF alone":                 []byte("From: a@example.org\nSubject: LF alone\n\nText\n\nand more\n"),
		"NUL in the header":        text("Subject: NUL in\x00 the header\r\nTo: a\x00b\r\n", "Text\r\n"),
		"NUL in the text":          text("Subject: NUL in the text\r\n", "Te\x00xt\x00\x00\r\n"),
		"NUL and 0x80":             text("Subject: NUL and 0x80\r\n", "Te\x00xt \x80 \xe2\x80\x93\r\n"),
		"no last line end":         text("Subject: no last line end\r\n", "Text"),
		"no text":                  text("Subject: no text\r\n", ""),
		"header only":              []byte("From: a@example.org\r\nSubject: header only\r\n"),
		"header cut off":           []byte("From: a@example.org\r\nSubject: header cut off"),
		"empty lines at the end":   text("Subject: empty lines at the end\r\n", "Text\r\n\r\n\r\n\r\n"),
		"empty lines around":       text("Subject: empty lines around\r\n", "\r\n\r\nText\r\n\r\n"),
		"notes of mbox storage":    text("X-UID: 12\r\nX-IMAP: 1234567890 12\r\nStatus: RO\r\nX-Status: A\r\nX-Keywords: a b\r\n c\r\nX-IMAPbase: 1 2\r\nContent-Length: 6\r\nSubject: notes of mbox storage\r\n", "Text\r\n"),
		"From line":                []byte("From a@example.org Thu Jan  1 00:00:00 1970\r\nFrom: a@example.org\r\nSubject: From line\r\n\r\nText\r\n"),
		"From lines in the text":   text("Subject: From lines in the text\r\n", "Text\r\n\r\nFrom a@example.org Thu Jan  1 00:00:00 1970\r\n>From b\r\n"),
		"8-bit header":             text("Subject: 8-bit header Gr\xfc\xdfe\r\nTo: J\xc3\xb6rg\r\nX-Name: \xe4\x80\r\n", "Text \xe4\r\n"),
		"control characters":       text("Subject: control characters \x01\x0b\x0c\x1a\x7f\r\n", "Te\x0bxt\x1a\r\n"),
		"white space":              []byte("Date:\r\n\tThu\r\nFrom:  a  \r\n   b  \r\n \r\n \t \r\nSubject:\t\twhite space  \r\nTo: x\r\n\r\n \r\nText  \r\n"),
		"space before colons":      text("Subject : space before colons\r\nTo\t: b\r\nMessage-ID : <space@test>\r\n", "Text\r\n"),
		"lines that are no fields": text("no field\r\n: nor this\r\nSubject: lines that are no fields\r\n", "Text\r\n"),
		"fields twice":             text("Subject: fields twice\r\nSUBJECT:again\r\nsubject: and again\r\nFROM:b\r\n", "Text\r\n"),
		"no header":                []byte("\r\nText of what has no header\r\n"),
		"continued at once":        []byte(" continued: a\r\nSubject: continued at once\r\n\r\nText\r\n"),
		"gzip":                     []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xce\xcf\x2d\x28\x4a\x2d\x2e\x4e\x4d\r\r\n\x01\x00\x00\xff\xff\r\x85\x11\x4a\x0d\x0b\x00\x00\x00"),
		"long To":                  text("To: "+strings.Repeat("someone@example.org, ", 3500)+"end@example.org\r\nSubject: long To\r\nMessage-ID: <long-to@test>\r\n", "Text\r\n"),
		"long Message-ID":          text("Message-ID: <"+strings.Repeat("y", 70_000)+"@test>\r\nSubject: long Message-ID\r\n", "Text\r\n"),
		"many To":                  text(strings.Repeat("To: someone@example.org\r\n", 3000)+"Subject: many To\r\nMessage-ID: <many-to@test>\r\n", "Text\r\n"),
		"long folded To":           text("To: x@example.org"+strings.Repeat(",\r\n someone@example.org", 4000)+"\r\nSubject: long folded To\r\nMessage-ID: <folded@test>\r\n", "Text\r\n"),
		"long line":                text("Subject: long line\r\n", strings.Repeat("text ", 40_000)+"\r\n"),
	}
	var all []Odd
	for name, body := range odd {
		all = append(all, Odd{name, body})
	}
	slices.SortFunc(all, func(a, b Odd) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// RandomOdd returns a message with line ends, fields, NULs and the like in any order. Some
// have a Message-ID, of which number is a part.
func RandomOdd(random *rand.Rand, number int) []byte {
	fields := []string{
		"Subject: a", "Subject : a", "To: a", "TO:", "To: a\x00", "X-UID: 1", "Status: RO", "X-A: \xe4", "From: J\xc3\xb6rg", " goes on", "\tgoes on", " ",
		"no field", "From a@b Thu Jan  1 00:00:00 1970", "\rDate: now", ":", "Date: a\rb",
	}
	pieces := []string{"a", "\r", "\r\n", "\r\r\n", "\n", "\x00", "\x80", " ", "From a@b\r\n", "Subject: b\r\n"}
	ends := []string{"\r\n", "\r\n", "\r\n", "\n", "\r\r\n"}
	var body []byte
	if random.IntN(2) > 0 {
		body = fmt.Appendf(body, "Message-ID: <%d@test>\r\n", number)
	}
	for range random.IntN(5) {
		body = append(body, fields[random.IntN(len(fields))]+ends[random.IntN(len(ends))]...)
	}
	body = append(body, ends[random.IntN(len(ends))]...)
	for range random.IntN(8) {
		body = append(body, pieces[random.IntN(len(pieces))]...)
	}
	return body
}
