package quirk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The quirks in this file are of servers that keep a client busy and get nowhere, or say
// more than there is.

// Slow sends the answers to commands of that name byte by byte, with a pause after each.
func Slow(command string, pause time.Duration) Quirk {
	return Quirk{
		Name: command + " drips",
		Seen: "a server or a line that hangs by a thread; a tar pit",
		After: func(c *Command, a *Answer) {
			if c.Name == command {
				a.Drip, a.Pause = true, pause
			}
		},
	}
}

// SlowBody sends one message byte by byte, with a pause after each, and does not get far.
func SlowBody(mailbox string, uid uint32, pause time.Duration) Quirk {
	return Quirk{
		Name: "the content of a message drips",
		Seen: "a server whose disk fails at one file",
		After: func(c *Command, a *Answer) {
			if c.Mailbox == mailbox && fetching(c) && c.Names(uid) {
				a.Untagged = slices.DeleteFunc(a.Untagged, func(line string) bool { return uidOf(line) != uid })
				a.Drip, a.Pause = true, pause
			}
		},
	}
}

// Talking answers commands of that name with remarks alone, for ever.
func Talking(command string, pause time.Duration) Quirk {
	return Quirk{
		Name: command + " is answered by remarks for ever",
		Seen: "Dovecot says * OK Still here while it works; one that works for ever",
		Instead: func(c *Command) *Answer {
			if c.Name == command {
				return &Answer{Forever: "* OK Still here\r\n", Pause: pause}
			}
			return nil
		},
	}
}

// Invented describes so many messages more than exist when a mailbox is listed.
func Invented(mailbox string, messages int) Quirk {
	return Quirk{
		Name: "more messages are listed than exist",
		Seen: "no server is named; ten million of them took 632 MB",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox || c.Name != "UID FETCH" || len(c.messages) < 2 || fetching(c) {
				return
			}
			for i := range messages {
				a.add(fmt.Sprintf("* %d FETCH (UID %d FLAGS (\\Seen))", i+1, 1_000_000+i))
			}
		},
	}
}

// Longer announces messages of a mailbox as that many bytes longer than they are.
func Longer(mailbox string, bytes int) Quirk {
	return Quirk{
		Name: "a message is announced as longer than it is",
		Seen: "servers whose index and files disagree; mbsync waits for ever",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox || !fetching(c) {
				return
			}
			for i, line := range a.Untagged {
				at := announcement.FindStringIndex(line)
				if at == nil {
					continue
				}
				body := strings.TrimSuffix(line[at[1]:], ")")
				a.Untagged[i] = line[:at[0]] + fmt.Sprintf("{%d}\r\n", len(body)+bytes) + body + ")"
			}
		},
	}
}
