package matrix

import (
	"strings"
)

// Mask is a set of capabilities that a server is made to lack.
type Mask []string

// String names the mask.
func (m Mask) String() string { return strings.Join(m, ", ") }

// Plain is what hides everything that Mailmoor could make use of: what is left is
// a server of RFC 3501.
func Plain() Mask {
	return Mask{
		"CONDSTORE", "ENABLE", "ESEARCH", "ID", "IDLE", "LIST-EXTENDED", "LIST-STATUS", "LITERAL+", "MOVE", "NAMESPACE",
		"NOTIFY", "QRESYNC", "SASL-IR", "SPECIAL-USE", "UIDPLUS", "UNSELECT",
	}
}

// Masks returns what is hidden of Dovecot: each capability alone, those together
// that stand in for one another or are used in one step, and all.
func Masks() []Mask {
	masks := []Mask{
		{"CONDSTORE"},
		{"ENABLE"},
		{"ESEARCH"},
		{"IDLE"},
		{"LIST-STATUS"},
		{"LITERAL+"},
		{"MOVE"},
		{"NAMESPACE"},
		{"SPECIAL-USE"},
		{"UIDPLUS"},
		{"UNSELECT"},
		{"MOVE", "UIDPLUS"},              // a move is a copy that cannot be expunged
		{"LITERAL+", "UIDPLUS"},          // uploads one by one, found by their content
		{"CONDSTORE", "ESEARCH"},         // whole listings, long searches
		{"CONDSTORE", "UNSELECT"},        // the open mailbox has no status
		{"LIST-STATUS", "UNSELECT"},      // so has one in a list with single questions
		{"CONDSTORE", "LIST-STATUS"},     // nothing proves a mailbox unchanged
		{"LIST-EXTENDED", "SPECIAL-USE"}, // roles by names
		{"CONDSTORE", "ENABLE"},
	}
	return append(masks, Plain())
}
