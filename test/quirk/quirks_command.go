package quirk

import (
	"regexp"
	"slices"
	"strings"
)

// Bare is a server without any extension.
func Bare() Quirk {
	return Quirk{
		Name: "no extension at all",
		Seen: "RFC 3501 demands none",
		Hide: slices.DeleteFunc(strings.Fields(allCapabilities), func(name string) bool {
			return name == "IMAP4rev1" || name == "AUTH=PLAIN"
		}),
	}
}

// Old is a server without CONDSTORE and MOVE, such as most of 2010.
func Old() Quirk {
	return Quirk{
		Name: "neither CONDSTORE nor MOVE nor LIST-STATUS",
		Seen: "Courier 5.0",
		Hide: []string{"CONDSTORE", "MOVE", "ESEARCH", "LITERAL+", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "UNSELECT"},
	}
}

// SilentCapabilities does not announce its capabilities after the login, only when
// asked.
func SilentCapabilities() Quirk {
	return Quirk{
		Name: "no capabilities in greeting and login",
		Seen: "Exchange (isync NEWS 1.5.0)",
		After: func(c *Command, a *Answer) {
			if c.Name != "CAPABILITY" {
				a.Status = capabilityCode.ReplaceAllString(a.Status, "")
			}
		},
	}
}

var capabilityCode = regexp.MustCompile(`\[CAPABILITY [^\]]*\] `)

// OtherCapabilities has other capabilities after the login than before.
func OtherCapabilities() Quirk {
	return Quirk{
		Name: "other capabilities before the login",
		Seen: "Cyrus (short list before the login), Dovecot (login process)",
		After: func(c *Command, a *Answer) {
			if c.Name == "greeting" || c.Name == "CAPABILITY" && c.Number == 1 {
				a.Status = capabilityCode.ReplaceAllString(a.Status, "[CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN X-FIRST QRESYNC IMAP4rev2] ")
			}
		},
	}
}

// Refusing answers commands of these names with the text, at most so many times,
// or always when times is 0.
func Refusing(name, seen, answer string, times int, commands ...string) Quirk {
	refused := 0
	return Quirk{Name: name, Seen: seen, Instead: func(c *Command) *Answer {
		if !slices.Contains(commands, c.Name) || times > 0 && refused == times {
			return nil
		}
		refused++
		return &Answer{Status: answer}
	}}
}

// In narrows what a quirk answers instead of carrying a command out to one mailbox.
func In(mailbox string, q Quirk) Quirk {
	instead := q.Instead
	q.Instead = func(c *Command) *Answer {
		if c.Mailbox != mailbox {
			return nil
		}
		return instead(c)
	}
	return q
}

// Bounced refuses uploads to a mailbox before their literals are sent: there is no
// LITERAL+.
func Bounced(mailbox, answer string) Quirk {
	q := In(mailbox, Refusing("an upload is refused before it is sent", "RFC 9051, section 4.3; go-imap ends the connection",
		answer, 0, "APPEND"))
	q.Hide = []string{"LITERAL+"}
	return q
}

// SilentNoop does not answer NOOP.
func SilentNoop() Quirk {
	return Quirk{
		Name: "NOOP is not answered",
		Seen: "any server that hangs; go-imap waits for ever",
		Instead: func(c *Command) *Answer {
			if c.Name == "NOOP" {
				return &Answer{Silent: true}
			}
			return nil
		},
	}
}

// Impatient ends every connection after so many commands.
func Impatient(commands int) Quirk {
	return Quirk{
		Name: "the connection ends after some commands",
		Seen: "Dovecot 2.3 after 20 bad commands",
		Instead: func(c *Command) *Answer {
			if c.Number > commands {
				return &Answer{Untagged: []string{"* BYE Session expired, please login again."}, HangUp: true}
			}
			return nil
		},
	}
}

// DescendingCopyUID makes copies from the last message to the first.
func DescendingCopyUID() Quirk {
	return Quirk{
		Name:          "COPYUID is not ascending",
		Seen:          "RFC 4315, section 3, leaves the order to the server; go-imap sorts both sets and pairs the wrong UIDs",
		CopyBackwards: true,
	}
}

// NoCopyUID never says COPYUID.
func NoCopyUID() Quirk {
	code := regexp.MustCompile(`\[COPYUID [^\]]*\] `)
	return Quirk{
		Name: "COPYUID missing",
		Seen: "RFC 4315, section 3, allows it for mailboxes without lasting UIDs",
		After: func(_ *Command, a *Answer) {
			a.heads(func(head string) string { return code.ReplaceAllString(head, "") })
			a.Status = code.ReplaceAllString(a.Status, "")
		},
	}
}

// NoAppendUID never says APPENDUID.
func NoAppendUID() Quirk {
	code := regexp.MustCompile(`\[APPENDUID [^\]]*\] `)
	return Quirk{
		Name:  "APPENDUID missing",
		Seen:  "RFC 4315, section 3, allows it for mailboxes without lasting UIDs",
		After: func(_ *Command, a *Answer) { a.Status = code.ReplaceAllString(a.Status, "") },
	}
}

// IgnoredExpunge says OK to UID EXPUNGE and removes nothing.
func IgnoredExpunge() Quirk {
	return Refusing("EXPUNGE says OK and removes nothing", "no server is named; Dovecot 2.3 says OK for messages that are gone",
		"OK EXPUNGE completed", 0, "UID EXPUNGE")
}

// IgnoredMove says OK to UID MOVE and moves nothing.
func IgnoredMove() Quirk {
	return Refusing("MOVE says OK and moves nothing", "servers answer OK for messages that are gone (Dovecot 2.3)",
		"OK MOVE completed", 0, "UID MOVE")
}

// IgnoredStore says OK to STORE and stores nothing, as in a mailbox that was opened
// for reading only.
func IgnoredStore(mailbox string) Quirk {
	return In(mailbox, Refusing("STORE says OK and stores nothing", "Dovecot 2.3 in read-only mailboxes",
		"OK Store ignored with read-only mailbox.", 0, "UID STORE"))
}

// ReadOnly opens a mailbox for reading only, says OK to STORE and stores nothing.
func ReadOnly(mailbox string) Quirk {
	q := IgnoredStore(mailbox)
	q.Name = "a read-only mailbox, in which STORE says OK"
	q.After = func(c *Command, a *Answer) {
		if c.Name == "SELECT" && c.Mailbox == mailbox {
			a.Status = strings.Replace(a.Status, "READ-WRITE", "READ-ONLY", 1)
		}
	}
	return q
}
