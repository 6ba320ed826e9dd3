package quirk

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// NilDate gives no INTERNALDATE.
func NilDate() Quirk {
	return Quirk{
		Name:  "INTERNALDATE NIL",
		Seen:  "no server is named; go-imap ends the connection",
		After: replacing(`INTERNALDATE "[^"]*"`, "INTERNALDATE NIL"),
	}
}

// BadDate gives dates that are none.
func BadDate() Quirk {
	return Quirk{
		Name:  "an INTERNALDATE that is no date",
		Seen:  "isync NEWS 1.5.0 (CopyArrivalDate failing on some date strings); go-imap ends the connection",
		After: replacing(`INTERNALDATE "[^"]*"`, `INTERNALDATE "31-Feb-2020 25:61:00 +0000"`),
	}
}

// Size changes what RFC822.SIZE says.
func Size(name, seen string, wrong func(size int) string) Quirk {
	pattern := regexp.MustCompile(`RFC822\.SIZE (\d+)`)
	return Quirk{Name: name, Seen: seen, After: func(_ *Command, a *Answer) {
		a.heads(func(head string) string {
			return pattern.ReplaceAllStringFunc(head, func(m string) string {
				size, _ := strconv.Atoi(strings.TrimPrefix(m, "RFC822.SIZE ")) // the pattern lets only numbers pass
				return "RFC822.SIZE " + wrong(size)
			})
		})
	}}
}

// RoundedSize rounds sizes up to whole kilobytes.
func RoundedSize() Quirk {
	return Size("rounded RFC822.SIZE", "Exchange (Microsoft KB Q191504), hMailServer (issue 476)",
		func(size int) string { return strconv.Itoa((size + 1023) / 1024 * 1024) })
}

// ZeroSize says that all messages are empty.
func ZeroSize() Quirk {
	return Size("RFC822.SIZE 0", "no server is named; RFC 9051 has no way to say that a size is not known",
		func(int) string { return "0" })
}

// NegativeSize says what no size can be.
func NegativeSize() Quirk {
	return Size("RFC822.SIZE -1", "no server is named; go-imap ends the connection",
		func(int) string { return "-1" })
}

// AddedHeader puts a field in front of every message that is uploaded.
func AddedHeader() Quirk {
	return Quirk{
		Name: "uploads get another header field",
		Seen: "Exchange and Proton Mail rewrite what they get; WildDuck (issue 536)",
		Store: func(_ []*Message, m *Message) uint32 {
			m.Body = append([]byte("X-Received-By: the server\r\n"), m.Body...)
			return 0
		},
	}
}

// RewrittenLines changes the lines of every message that is uploaded.
func RewrittenLines() Quirk {
	return Quirk{
		Name: "uploads get other line ends",
		Seen: "Courier 5.0 changes lone CRs and empty messages",
		Store: func(_ []*Message, m *Message) uint32 {
			m.Body = append(bytes.ReplaceAll(m.Body, []byte(" of "), []byte("\r\nof ")), "\r\n\r\n"...)
			return 0
		},
	}
}

// Deduplicating takes no message twice: an upload of one that the mailbox has
// answers with the UID of that.
func Deduplicating() Quirk {
	return Quirk{
		Name: "a second upload of a message is the first one",
		Seen: "Gmail (google/import-mailbox-to-gmail 56, rgladwell/imap-upload 22)",
		Store: func(there []*Message, m *Message) uint32 {
			for _, old := range there {
				if bytes.Equal(old.Body, m.Body) {
					return old.UID
				}
			}
			return 0
		},
	}
}

// VanishedBody answers the FETCH of a message's content as if it had just been
// expunged by somebody else.
func VanishedBody(mailbox string, uid uint32) Quirk {
	return Quirk{
		Name: "BODY[] NIL",
		Seen: "Dovecot 2.3 for a message that another session expunged",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox || !fetching(c) {
				return
			}
			for i, line := range a.Untagged {
				if at := announcement.FindStringIndex(line); uidOf(line) == uid && at != nil {
					a.Untagged[i] = line[:at[0]] + "NIL)"
					a.Status = "OK [EXPUNGEISSUED] Some of the requested messages no longer exist."
				}
			}
		},
	}
}

// Poison hangs up whenever the message's content is fetched.
func Poison(mailbox string, uid uint32) Quirk {
	return Quirk{
		Name: "a message that ends the connection each time",
		Seen: "Dovecot 2.3 with a message file that it cannot read",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox || !fetching(c) || !c.Names(uid) {
				return
			}
			for i, line := range a.Untagged {
				if uidOf(line) == uid {
					at := announcement.FindStringIndex(line)
					a.Untagged, a.HangUp = a.Untagged[:i], true
					a.add(strings.TrimSuffix(line[:at[0]], " BODY[] ") + ")")
					a.add("* BYE FETCH failed: Internal error occurred. Refer to server log for more information.")
					return
				}
			}
		},
	}
}

// ByeInFetch hangs up in the middle of the n-th message that it sends, once.
func ByeInFetch(n int) Quirk {
	sent := 0
	return Quirk{
		Name: "BYE in the middle of a FETCH",
		Seen: "any server that is shut down",
		After: func(c *Command, a *Answer) {
			if !fetching(c) {
				return
			}
			for i, line := range a.Untagged {
				if announcement.MatchString(line) {
					if sent++; sent == n {
						a.Untagged, a.HangUp = a.Untagged[:i], true
						a.add("* BYE Server shutting down.")
						return
					}
				}
			}
		},
	}
}

// CutInFetch ends the connection within the content of the n-th message, once,
// without a word.
func CutInFetch(n int) Quirk {
	sent := 0
	return Quirk{
		Name: "the connection ends within a message",
		Seen: "any server; go-imap returns the short message without an error",
		After: func(c *Command, a *Answer) {
			if !fetching(c) {
				return
			}
			for i, line := range a.Untagged {
				if announcement.MatchString(line) {
					if sent++; sent == n {
						a.Untagged, a.Cut, a.HangUp = a.Untagged[:i], line[:len(line)-10], true
						return
					}
				}
			}
		},
	}
}

// Window shows only the newest messages of each mailbox.
func Window(messages int) Quirk {
	return Quirk{
		Name: fmt.Sprintf("only the newest %d messages of a mailbox are shown", messages),
		Seen: "Yahoo: 10,000 (rustmailer/bichon 144 and 271); Gmail by setting (gaubert/gmvault 297)",
		Show: func(_ string, all []*Message) []*Message { return all[max(0, len(all)-messages):] },
	}
}

// Short sends only the first bytes of a message, and announces no more.
func Short(mailbox string, uid uint32, bytes int) Quirk {
	return Quirk{
		Name: fmt.Sprintf("only the first %d bytes of a message are sent", bytes),
		Seen: "a server whose file was cut short by a full disk, and whose index was not",
		After: func(c *Command, a *Answer) {
			if c.Mailbox != mailbox || !fetching(c) {
				return
			}
			for i, line := range a.Untagged {
				if at := announcement.FindStringIndex(line); uidOf(line) == uid && at != nil {
					a.Untagged[i] = line[:at[0]] + literal(line[at[1]:at[1]+bytes]) + ")"
				}
			}
		},
	}
}
