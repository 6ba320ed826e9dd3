package wire

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what is remembered between two calls of Take.
const (
	notesMax         = 64
	noteBytesMax     = 400
	traceLineByteMax = 1000
)

// Notes are what the server's status lines said and go-imap does not tell, and
// what the Conn changed. Of each list at most 64 different entries are kept.
type Notes struct {
	ReadOnly     bool // READ-ONLY: the mailbox cannot be changed. RFC 9051, section 7.1.
	NoModSeq     bool // NOMODSEQ: the mailbox has no mod-sequences. RFC 7162, section 3.1.2.2.
	UIDNotSticky bool // UIDNOTSTICKY: UIDs do not last. RFC 4315, section 3.
	MessageLimit bool // MESSAGELIMIT: the command was cut short. RFC 9738.
	OverQuota    bool // OVERQUOTA. RFC 5530, section 3.
	// Alerts are the texts that the user must be shown. RFC 9051, section 7.1.
	Alerts []string
	// Bye is what the server said when it hung up.
	Bye string
	// LastText is what the latest NO or BAD said, or else the latest OK.
	LastText string
	// Codes are the response codes seen, as upper-case atoms.
	Codes []string
	// Repaired says what was left out or cut out of responses.
	Repaired []string

	lastBad bool
}

// status takes down what the line says.
func (n *Notes) status(st status) {
	bad := st.cond == "NO" || st.cond == "BAD"
	if bad || !n.lastBad {
		n.LastText, n.lastBad = printable(st.text), bad
	}
	if st.cond == "BYE" {
		n.Bye = printable(st.said())
	}
	if st.code == "" {
		return
	}
	n.Codes = remember(n.Codes, cut(st.code, noteBytesMax))
	switch st.code {
	case "READ-ONLY":
		n.ReadOnly = true
	case "READ-WRITE":
		n.ReadOnly = false
	case "NOMODSEQ":
		n.NoModSeq = true
	case "UIDNOTSTICKY":
		n.UIDNotSticky = true
	case "MESSAGELIMIT":
		n.MessageLimit = true
	case "OVERQUOTA":
		n.OverQuota = true
	case "ALERT":
		n.Alerts = remember(n.Alerts, printable(st.text))
	}
}

func (n *Notes) repaired(note string) {
	if note != "" {
		n.Repaired = remember(n.Repaired, printable(note))
	}
}

func remember(list []string, entry string) []string {
	if len(list) >= notesMax || slices.Contains(list, entry) {
		return list
	}
	return append(list, entry)
}

// printable makes a server's text harmless for a terminal and short.
func printable(text string) string {
	return cut(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text), noteBytesMax)
}

// cut shortens text to about that many bytes.
func cut(text string, bytesMax int) string {
	if len(text) <= bytesMax {
		return text
	}
	for bytesMax > 0 && !utf8.RuneStart(text[bytesMax]) {
		bytesMax--
	}
	return text[:bytesMax] + "..."
}
