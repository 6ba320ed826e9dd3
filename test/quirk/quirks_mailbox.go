package quirk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// BadNames lists mailboxes whose names cannot be decoded.
func BadNames() Quirk {
	return Quirk{
		Name: "mailbox names that are no modified UTF-7",
		Seen: "names that clients of old made: R&D, 8-bit, control characters; go-imap ends the connection",
		After: func(c *Command, a *Answer) {
			if c.Name == "LIST" {
				for _, name := range []string{"R&D", "Gr\xfc\xdfe", "bell\x07", "&Jjo", ""} {
					a.Untagged = append([]string{fmt.Sprintf(`* LIST () "/" %s`, quoted(name))}, a.Untagged...)
				}
			}
		},
	}
}

// StatusFirst sends the STATUS lines of LIST before the LIST lines, in another
// order.
func StatusFirst() Quirk {
	return Quirk{
		Name: "STATUS lines before LIST lines and out of order",
		Seen: "RFC 5819, section 2, lets the server choose the order",
		After: func(c *Command, a *Answer) {
			if c.Name == "LIST" {
				slices.Reverse(a.Untagged)
			}
		},
	}
}

// NoStatus gives no STATUS with LIST for some mailboxes, and none at all when
// asked for that of mailbox.
func NoStatus(mailbox string) Quirk {
	return Quirk{
		Name: "STATUS missing for some mailboxes",
		Seen: "RFC 5819, section 2: a mailbox whose status cannot be had comes without one",
		Instead: func(c *Command) *Answer {
			if c.Name == "STATUS" && c.Mailbox == mailbox {
				return no("[SERVERBUG] Internal error occurred.")
			}
			return nil
		},
		After: removing(`^\* STATUS "(INBOX|` + regexp.QuoteMeta(mailbox) + `)"`),
	}
}

// Twice lists every mailbox twice.
func Twice() Quirk {
	return Quirk{
		Name: "every mailbox is listed twice",
		Seen: "no server is named; RFC 9051 does not forbid it",
		After: func(c *Command, a *Answer) {
			if c.Name == "LIST" {
				a.Untagged = append(a.Untagged, a.Untagged...)
			}
		},
	}
}

// InboxInOtherCase calls INBOX by another spelling.
func InboxInOtherCase() Quirk {
	return Quirk{
		Name:  "INBOX is listed as Inbox",
		Seen:  "RFC 9051, section 5.1: its case means nothing",
		After: replacing(`"INBOX"`, `"Inbox"`),
	}
}

// Denied lists a mailbox that cannot be opened.
func Denied(mailbox string) Quirk {
	return Quirk{
		Name: "a mailbox that is listed and denied",
		Seen: "RFC 4314: the right l without the right r",
		Instead: func(c *Command) *Answer {
			if (c.Name == "SELECT" || c.Name == "EXAMINE" || c.Name == "STATUS") && c.Mailbox == mailbox {
				return no("[NOPERM] Permission denied")
			}
			return nil
		},
	}
}

// NoUIDNext never tells UIDNEXT.
func NoUIDNext() Quirk {
	item := replacing(`UIDNEXT \d+ ?`, "")
	code := removing(`\[UIDNEXT`)
	return Quirk{
		Name: "UIDNEXT missing",
		Seen: "Courier 5.0 in SELECT; optional in RFC 3501",
		After: func(c *Command, a *Answer) {
			code(c, a)
			item(c, a)
		},
	}
}

// Validity changes the UIDVALIDITY of a mailbox in every answer: next returns the
// one that is told.
func Validity(name, seen, mailbox string, next func() uint32) Quirk {
	pattern := regexp.MustCompile(`UIDVALIDITY \d+`)
	return Quirk{Name: name, Seen: seen, After: func(c *Command, a *Answer) {
		selecting := c.Name == "SELECT" && c.Mailbox == mailbox
		told := fmt.Sprintf("UIDVALIDITY %d", next())
		a.heads(func(head string) string {
			if selecting || strings.HasPrefix(head, "* STATUS "+quoted(mailbox)) {
				return pattern.ReplaceAllString(head, told)
			}
			return head
		})
	}}
}

// NoValidity gives a mailbox UIDVALIDITY 0.
func NoValidity(mailbox string) Quirk {
	return Validity("UIDVALIDITY 0", "servers without stable UIDs; go-imap says nothing of it", mailbox, func() uint32 { return 0 })
}

// NewValidity gives a mailbox another UIDVALIDITY each time.
func NewValidity(mailbox string) Quirk {
	n := uint32(5000)
	return Validity("another UIDVALIDITY in each answer", "servers that make UIDs up per session; Proton Bridge after an upgrade (issue 220)",
		mailbox, func() uint32 { n++; return n })
}

// LargeValidity adds offset to every UIDVALIDITY.
func LargeValidity(name string, offset uint64) Quirk {
	number := regexp.MustCompile(`\b(UIDVALIDITY|APPENDUID|COPYUID) (\d+)`)
	larger := func(text string) string {
		return number.ReplaceAllStringFunc(text, func(m string) string {
			word, digits, _ := strings.Cut(m, " ")
			n, _ := strconv.ParseUint(digits, 10, 64) // the pattern lets only numbers pass
			return fmt.Sprintf("%s %d", word, n+offset)
		})
	}
	return Quirk{
		Name: name, Seen: "a server that takes milliseconds since 1970 (go-imap issue 612: 1713632002544)",
		After: func(_ *Command, a *Answer) {
			a.heads(larger)
			a.Status = larger(a.Status)
		},
	}
}

// Milliseconds gives mailboxes a UIDVALIDITY of 41 bits.
func Milliseconds() Quirk {
	return LargeValidity("UIDVALIDITY of more than 32 bits", 1713632000000)
}

// FewFlags keeps neither keywords nor \Deleted for good.
func FewFlags() Quirk {
	return Quirk{
		Name:  `PERMANENTFLAGS without \* and \Deleted`,
		Seen:  "RFC 9051, section 7.1; mailboxes with the rights ws but not t (RFC 4314)",
		After: replacing(`\[PERMANENTFLAGS \([^)]*\)`, `[PERMANENTFLAGS (\Answered \Flagged \Seen \Draft)`),
		Instead: func(c *Command) *Answer {
			if c.Name == "UID STORE" && slices.ContainsFunc(c.Args[2].texts(), func(f string) bool {
				return f == `\Deleted` || !strings.HasPrefix(f, `\`)
			}) {
				return no("[NOPERM] this flag cannot be changed")
			}
			return nil
		},
	}
}

// SearchCapped names at most so many messages in the answer to SEARCH.
func SearchCapped(messages int) Quirk {
	pattern := regexp.MustCompile(fmt.Sprintf(`^(\* E?SEARCH (?:.*ALL )?(?:\d+[, ]){%d})(.*)$`, messages))
	return Quirk{
		Name: fmt.Sprintf("SEARCH names %d messages", messages),
		Seen: "Yahoo (s1t5/mail-archiver 490: returned only 1000 of 10000)",
		After: func(c *Command, a *Answer) {
			if c.Name == "UID SEARCH" {
				for i, line := range a.Untagged {
					if match := pattern.FindStringSubmatch(line); match != nil {
						a.Untagged[i] = strings.TrimRight(match[1], ", ")
					}
				}
			}
		},
	}
}

// FetchCapped describes at most so many messages in one answer and says OK.
func FetchCapped(messages int) Quirk {
	return Quirk{
		Name: fmt.Sprintf("FETCH describes %d messages", messages),
		Seen: "RFC 9738 with its code MESSAGELIMIT; Yahoo cuts SEARCH short without it",
		After: func(c *Command, a *Answer) {
			if strings.HasSuffix(c.Name, "FETCH") && len(a.Untagged) > messages {
				a.Untagged = a.Untagged[:messages]
			}
		},
	}
}

// Hole counts a message of a mailbox and never describes it.
func Hole(mailbox string, uid uint32) Quirk {
	return Quirk{
		Name: "a message that is counted and not listed",
		Seen: "no server is named; clusters whose members agree after a while (imaptest has checkpoints for them)",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox {
				return
			}
			a.Untagged = slices.DeleteFunc(a.Untagged, func(line string) bool { return uidOf(line) == uid })
			if c.Name == "UID SEARCH" {
				number := regexp.MustCompile(fmt.Sprintf(`\b%d\b,?`, uid))
				a.heads(func(head string) string {
					before, list, found := strings.Cut(head, " ALL ")
					if !found {
						return head
					}
					return before + " ALL " + strings.TrimRight(number.ReplaceAllString(list, ""), ",")
				})
			}
		},
	}
}

// NoUID shows a message with the UID 0.
func NoUID(mailbox string, uid uint32) Quirk {
	item := regexp.MustCompile(fmt.Sprintf(`UID %d\b`, uid))
	result := regexp.MustCompile(fmt.Sprintf(`( |,)%d\b`, uid))
	return Quirk{
		Name: "a message with the UID 0",
		Seen: "a damaged index; RFC 9051, section 2.3.1.1, knows no such UID, and go-imap takes the line for none of the answer",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox {
				return
			}
			a.heads(func(head string) string {
				if c.Name == "UID SEARCH" {
					return result.ReplaceAllString(head, "${1}0")
				}
				return item.ReplaceAllString(head, "UID 0")
			})
		},
	}
}
