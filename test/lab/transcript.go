package lab

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Command is one command as it came from the client.
type Command struct {
	Conn int // number of the connection, from 0
	// Name is in capitals and without the tag: "UID STORE".
	Name string
	// Line is the command without its tag. Of a literal only the announcement
	// stands in it, and credentials are left out.
	Line string
	// Refused is true when the proxy had it answered BAD.
	Refused bool
}

// Transcript records commands. Any number of goroutines may use it.
type Transcript struct {
	mu       sync.Mutex
	commands []*Command
}

// add records the first line of a command; what follows a literal goes to
// more.
func (t *Transcript) add(c Command) *Command {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.commands = append(t.commands, &c)
	return &c
}

// more adds the line to the command.
func (t *Transcript) more(c *Command, line string, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.Refused = c.Refused || refused
	if c.Name != "LOGIN" && c.Name != "AUTHENTICATE" {
		c.Line += line
	}
}

// Commands returns what came since the start or the last Reset, in order.
func (t *Transcript) Commands() []Command {
	t.mu.Lock()
	defer t.mu.Unlock()
	commands := make([]Command, 0, len(t.commands))
	for _, c := range t.commands {
		commands = append(commands, *c)
	}
	return commands
}

// Reset forgets what came so far.
func (t *Transcript) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.commands = nil
}

// Changing returns the commands that change, or could change, anything on the
// server. A client that has nothing to do sends none.
func (t *Transcript) Changing() []Command {
	return slices.DeleteFunc(t.Commands(), func(c Command) bool { return !c.Changes() })
}

// peekless matches FETCH items that set \Seen. RFC 9051, section 6.4.5.
var peekless = regexp.MustCompile(`(?i)\b(BODY|BINARY)\[|\bRFC822(\.TEXT)?[ )]|\bRFC822(\.TEXT)?$`)

// Changes reports whether the command may change something on the server.
func (c Command) Changes() bool {
	switch strings.TrimPrefix(c.Name, "UID ") {
	case "APPEND", "REPLACE", "STORE", "COPY", "MOVE", "EXPUNGE", "CLOSE",
		"CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE",
		"SETACL", "DELETEACL", "SETMETADATA", "SETQUOTA":
		return true
	case "FETCH":
		return peekless.MatchString(c.Line)
	}
	return false
}

// safeLine returns the command without tag and credentials.
func safeLine(name, args string) string {
	switch name {
	case "LOGIN":
		return name
	case "AUTHENTICATE":
		mechanism, _, _ := strings.Cut(args, " ")
		return name + " " + mechanism
	}
	return strings.TrimSpace(name + " " + args)
}
