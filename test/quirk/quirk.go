package quirk

import (
	"regexp"
	"slices"
	"strconv"
)

// Quirk is one way in which a server is not as the standards say, or not as
// clients expect. All its functions are called under the server's mutex; those
// that are nil change nothing.
type Quirk struct {
	// Name says what the server does.
	Name string
	// Seen says which server does it and where that is reported.
	Seen string
	// Hide are capabilities that the server does not have.
	Hide []string
	// Instead returns an answer to a command that is then not carried out, or nil.
	// It is also asked before a literal is let in; the literal is not among the
	// arguments then.
	Instead func(*Command) *Answer
	// After changes the answer to a command that was carried out. The greeting is
	// the answer to the command "greeting".
	After func(*Command, *Answer)
	// CopyBackwards makes copies from the last message to the first, so that a COPYUID
	// names the new UIDs in descending order.
	CopyBackwards bool
	// Show returns which messages of a mailbox clients get to see.
	Show func(mailbox string, all []*Message) []*Message
	// Store changes a message that was uploaded, given what the mailbox has. It
	// returns the UID of a message that is there already to drop the new one, or 0.
	Store func(there []*Message, uploaded *Message) uint32
}

// heads rewrites the untagged responses as far as they go before their first
// literal, which is where everything stands that is not a message's content.
func (a *Answer) heads(rewrite func(head string) string) {
	for i, line := range a.Untagged {
		head, rest := line, ""
		if at := announcement.FindStringIndex(line); at != nil {
			head, rest = line[:at[0]], line[at[0]:]
		}
		a.Untagged[i] = rewrite(head) + rest
	}
}

// announcement is that of a literal.
var announcement = regexp.MustCompile(`~?\{\d+\}\r\n`)

// replacing returns a rule that replaces what the pattern matches in every untagged
// response, message contents left alone.
func replacing(pattern, by string) func(*Command, *Answer) {
	compiled := regexp.MustCompile(pattern)
	return func(_ *Command, a *Answer) {
		a.heads(func(head string) string { return compiled.ReplaceAllString(head, by) })
	}
}

// removing returns a rule that leaves out the untagged responses that the pattern
// matches.
func removing(pattern string) func(*Command, *Answer) {
	compiled := regexp.MustCompile(pattern)
	return func(_ *Command, a *Answer) {
		a.Untagged = slices.DeleteFunc(a.Untagged, compiled.MatchString)
	}
}

// fetching reports whether a FETCH asks for whole messages.
func fetching(c *Command) bool {
	return c.Name == "UID FETCH" && len(c.Args) > 1 && slices.Contains(c.Args[1].texts(), "BODY.PEEK[]")
}

// uidOf returns the UID in a FETCH response, 0 if there is none.
func uidOf(line string) uint32 {
	match := uidPattern.FindStringSubmatch(line)
	if match == nil {
		return 0
	}
	uid, _ := strconv.ParseUint(match[1], 10, 32) // 0 if it is too large
	return uint32(uid)
}

var uidPattern = regexp.MustCompile(`^\* \d+ FETCH \(UID (\d+)`)
