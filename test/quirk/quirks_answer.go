package quirk

import (
	"fmt"
	"regexp"
	"strings"
)

// UnknownAnswers sends untagged responses that no command asked for and that
// clients do not know.
func UnknownAnswers() Quirk {
	return Quirk{
		Name: "unknown untagged answers",
		Seen: "answers of extensions, such as VANISHED (RFC 7162) and METADATA (RFC 5464): go-imap ends the connection",
		After: func(c *Command, a *Answer) {
			if c.Name == "greeting" {
				return
			}
			extra := []string{
				`* XLIST (\HasNoChildren) "/" "Box"`, `* LSUB () "/" "Box"`, "* METADATA \"\" (/private/x {3}\r\nabc)",
				"* OK [X-NOTE \"a ] b\"] what you should know", "* 7 X-SCORE (1 2)", "* X",
			}
			a.Untagged = append(append(extra, a.Untagged...), extra...)
		},
	}
}

// UnknownItems adds items to FETCH responses that no command asked for.
func UnknownItems() Quirk {
	items := `FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS ("\\Important" "a)b" Muy) EMAILID (M6d99ac3275bb4e) THREADID NIL ` +
		`SAVEDATE "01-Jan-2020 00:00:00 +0000" PREVIEW "x {3}" UID`
	return Quirk{
		Name:  "unknown FETCH items",
		Seen:  "Gmail (X-GM-MSGID, developers.google.com imap-extensions), Fastmail and Cyrus (EMAILID, RFC 8474): go-imap ends the connection",
		After: replacing(`FETCH \(UID`, strings.ReplaceAll(items, "$", "$$")),
	}
}

// OddKeywords puts flags everywhere that are no atoms.
func OddKeywords() Quirk {
	list := regexp.MustCompile(`(FLAGS) \(([^)]*)\)`)
	return Quirk{
		Name: "keywords with brackets and spaces",
		Seen: "Gmail labels as keywords (ruby/net-imap 241, himalaya 641), quoted flags (MailKit 771), leading space (go-imap pull request 633)",
		After: func(_ *Command, a *Answer) {
			a.heads(func(head string) string {
				return list.ReplaceAllString(head, `$1 ( [Gmail]/x Junk] "\\XQuoted" gr\xfc\xdf  $2 a]b)`)
			})
			a.heads(func(head string) string { return strings.ReplaceAll(head, `gr\xfc\xdf`, "gr\xfc\xdf") })
		},
	}
}

// LowerCase writes everything in lower case that is not case-sensitive.
func LowerCase() Quirk {
	words := regexp.MustCompile(`^(\* )(\d+ )?([A-Z]+)|\[[A-Z-]+|\b(UID|FLAGS|INTERNALDATE|MODSEQ|MESSAGES|UIDNEXT|UIDVALIDITY|HIGHESTMODSEQ|BODY|RFC822\.SIZE|HEADER\.FIELDS)\b`)
	return Quirk{
		Name: "response codes and keywords in lower case",
		Seen: "no server is named; RFC 9051, section 9: case means nothing, but go-imap loses [uidvalidity 9]",
		After: func(_ *Command, a *Answer) {
			a.heads(func(head string) string { return words.ReplaceAllStringFunc(head, strings.ToLower) })
			code, rest, found := strings.Cut(a.Status, "]")
			if found {
				a.Status = strings.ToLower(code) + "]" + rest
			}
		},
	}
}

// Literals sends strings as literals and messages as literal8.
func Literals() Quirk {
	dates := regexp.MustCompile(`INTERNALDATE "([^"]*)"`)
	names := regexp.MustCompile(`^(\* (?:LIST \([^)]*\) "."|STATUS)) "([^"]*)"`)
	return Quirk{
		Name: "literals for strings, literal8 for messages",
		Seen: "the form is the server's choice (RFC 9051, section 9); literal8 is of RFC 3516",
		After: func(_ *Command, a *Answer) {
			for i, line := range a.Untagged {
				head, rest := line, ""
				if at := announcement.FindStringIndex(line); at != nil {
					head, rest = line[:at[0]], line[at[0]:]
				}
				if strings.HasSuffix(head, "BODY[] ") {
					rest = "~" + rest
				}
				head = dates.ReplaceAllStringFunc(head, func(m string) string {
					return "INTERNALDATE " + literal(dates.FindStringSubmatch(m)[1])
				})
				head = names.ReplaceAllStringFunc(head, func(m string) string {
					parts := names.FindStringSubmatch(m)
					return parts[1] + " " + literal(parts[2])
				})
				a.Untagged[i] = head + rest
			}
		},
	}
}

// BodyFirst sends the items of FETCH responses in the opposite order, the content
// first.
func BodyFirst() Quirk {
	item := regexp.MustCompile(`^(\* \d+ FETCH \(UID \d+)(.*) (BODY\[[^\]]*\] )$`)
	return Quirk{
		Name: "contents before flags and dates",
		Seen: "the order of items is the server's choice (RFC 9051, section 7.5.2)",
		After: func(_ *Command, a *Answer) {
			for i, line := range a.Untagged {
				at := announcement.FindStringIndex(line)
				if at == nil {
					continue
				}
				if match := item.FindStringSubmatch(line[:at[0]]); match != nil {
					content := strings.TrimSuffix(line[at[0]:], ")")
					a.Untagged[i] = match[1] + " " + match[3] + content + match[2] + ")"
				}
			}
		},
	}
}

// Drip sends every byte by itself.
func Drip() Quirk {
	return Quirk{
		Name:  "every byte comes alone",
		Seen:  "any server behind a very slow line; go-imap gives a line 30 s and a literal 300 s in all",
		After: func(_ *Command, a *Answer) { a.Drip = true },
	}
}

// Comings tells in every answer of a message that came and went again.
func Comings() Quirk {
	return Quirk{
		Name: "EXISTS and EXPUNGE in every answer",
		Seen: "any busy mailbox, as under imaptest; RFC 9051, section 7.5",
		After: func(c *Command, a *Answer) {
			if c.opened() == nil {
				return
			}
			n := len(c.shown())
			a.add(fmt.Sprintf("* %d EXISTS", n+1))
			a.add("* 1 RECENT")
			a.add(fmt.Sprintf("* %d EXPUNGE", n+1))
			a.add(fmt.Sprintf("* %d EXISTS", n))
		},
	}
}

// OtherFlags tells in every answer of the flags of messages that the command is not
// about, with and without their UIDs.
func OtherFlags() Quirk {
	return Quirk{
		Name: "FETCH answers about other messages",
		Seen: "any mailbox that somebody else works in; RFC 9051, section 7.5.2",
		After: func(c *Command, a *Answer) {
			var others []string
			for i, msg := range c.shown() {
				others = append(others, fmt.Sprintf("* %d FETCH (FLAGS (%s))", i+1, strings.Join(msg.Flags, " ")))
				if !c.Names(msg.UID) {
					others = append(others, fmt.Sprintf("* %d FETCH (UID %d FLAGS (%s))", i+1, msg.UID, strings.Join(msg.Flags, " ")),
						fmt.Sprintf("* %d FETCH (UID %d MODSEQ (%d))", i+1, msg.UID, msg.modSeq))
				}
			}
			a.Untagged = append(append(others, a.Untagged...), others...)
		},
	}
}

// FlagsBeforeContent tells the flags of each message once more before its content
// is sent for the first time.
func FlagsBeforeContent() Quirk {
	told := make(map[string]bool)
	return Quirk{
		Name: "a message's flags in an answer of their own before the one that is due",
		Seen: "any mailbox that somebody else works in; go-imap takes the first answer for the one that is due",
		After: func(c *Command, a *Answer) {
			var lines []string
			for _, line := range a.Untagged {
				at := announcement.FindStringIndex(line)
				key := fmt.Sprintf("%s %d", c.Mailbox, uidOf(line))
				if at != nil && fetching(c) && !told[key] {
					told[key] = true
					number, _, _ := strings.Cut(line, " FETCH")
					lines = append(lines, fmt.Sprintf("%s FETCH (UID %d FLAGS (\\Recent))", number, uidOf(line)))
				}
				lines = append(lines, line)
			}
			a.Untagged = lines
		},
	}
}
