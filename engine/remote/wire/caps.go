package wire

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Capabilities is the set of what a server announced, in upper case.
type Capabilities map[string]bool

// Has reports whether the server announced the capability, in any case.
func (c Capabilities) Has(name string) bool { return c[strings.ToUpper(name)] }

// AppendLimit returns the size in bytes up to which the server takes messages
// in all mailboxes. RFC 7889, section 2.
func (c Capabilities) AppendLimit() (limit int64, known bool) {
	for name := range c {
		if text, found := strings.CutPrefix(name, "APPENDLIMIT="); found {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
				return n, true
			}
		}
	}
	return 0, false
}

// mechanisms returns the SASL mechanisms in alphabetical order.
func (c Capabilities) mechanisms() []string {
	var found []string
	for name := range c {
		if mechanism, is := strings.CutPrefix(name, "AUTH="); is {
			found = append(found, mechanism)
		}
	}
	slices.Sort(found)
	return found
}

// parseCapabilities reads the names of a CAPABILITY response or code.
func parseCapabilities(text string) Capabilities {
	c := Capabilities{}
	for name := range strings.FieldsSeq(text) {
		c[strings.ToUpper(name)] = true
	}
	return c
}

// withheld are the capabilities that go-imap must not hear of. With IMAP4rev2
// or UTF8=ACCEPT announced it writes mailbox names in raw UTF-8, although
// neither has been enabled. With LITERAL+ or LITERAL- it chooses the form of
// literals, which is the Conn's business. The others are settled by the login.
func withheld(name string) bool {
	switch name {
	case "IMAP4REV1", "IMAP4REV2", "UTF8=ACCEPT", "UTF8=ONLY", "LITERAL+", "LITERAL-",
		"STARTTLS", "LOGINDISABLED", "SASL-IR":
		return true
	}
	return strings.HasPrefix(name, "AUTH=")
}

// visible is the part of the announced capabilities that go-imap may see, in
// the form of its capability lists. Names that are no atoms are left out.
func visible(announced string, hide []string) string {
	c := parseCapabilities(announced)
	for _, name := range hide {
		delete(c, strings.ToUpper(name))
	}
	list := []string{"IMAP4rev1"}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if !withheld(name) && isAtom(name) && isASCII(name) {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

// without removes the names from c.
func (c Capabilities) without(hide []string) Capabilities {
	kept := maps.Clone(c)
	for _, name := range hide {
		delete(kept, strings.ToUpper(name))
	}
	return kept
}

// String returns the capabilities in alphabetical order.
func (c Capabilities) String() string {
	return strings.Join(slices.Sorted(maps.Keys(c)), " ")
}
