package scene

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/crc32"
	"maps"
	"regexp"
	"slices"
	"strings"

	"mailmoor/state"
)

// Date is the earliest INTERNALDATE of the messages of all scenes, in Unix seconds.
const Date = 1_600_000_000

// dateOf returns the INTERNALDATE of the message of a token. Messages that are
// alike have the same one, and so have the versions of a draft: the next one is
// uploaded with the date of the one before.
func dateOf(token string) int64 {
	for _, same := range []string{"anon", "twin", "draft"} {
		if strings.HasPrefix(token, same) {
			return Date
		}
	}
	return Date + 1 + int64(crc32.ChecksumIEEE([]byte(token))%1_000_000)
}

// bigBytes is about the size of a message whose token begins with "big". It is
// more than goes into one write of a file or a socket.
const bigBytes = 100 << 10

// Body returns the message of a token, with CRLF line ends; the same token gives
// the same bytes. A token that begins with "anon" stands in the text alone: the
// messages of all such tokens have the same header, without a Message-ID.
func Body(token string) []byte {
	var b bytes.Buffer
	b.WriteString("From: a@example.org\r\nDate: Sun, 13 Sep 2020 12:26:40 +0000\r\n")
	if strings.HasPrefix(token, "anon") {
		b.WriteString("Subject: no name\r\n")
	} else {
		fmt.Fprintf(&b, "Message-ID: <%s@scene.test>\r\nSubject: about %[1]s\r\n", token)
	}
	fmt.Fprintf(&b, "\r\nThis is %-12s.\r\n", "["+token+"]")
	if strings.HasPrefix(token, "big") {
		b.WriteString(strings.Repeat("A line of seventy-two bytes, again and again, until the message is big.\r\n", bigBytes/73))
	}
	return b.Bytes()
}

var tokenPattern = regexp.MustCompile(`This is \[([^\]]+)\]`)

// tokenOf returns the token of a message, "" if it is none of ours.
func tokenOf(body []byte) string {
	if match := tokenPattern.FindSubmatch(body); match != nil {
		return string(match[1])
	}
	return ""
}

// lf returns the message as a file has it.
func lf(body []byte) []byte { return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) }

// digest returns what identifies the content of a message on both sides.
func digest(body []byte) state.Digest {
	d := state.NewDigester()
	d.Write(body)
	return d.Sum().Digest
}

// Mail is one message as a side shows it, in the same form for both sides.
type Mail struct {
	Mailbox, Token string
	Flags          state.Flags
	Keywords       state.Keywords
	Date           int64 // Unix seconds
	Digest         state.Digest
}

// String returns the form in which scenes name messages: "INBOX/token:FLAGS", and
// "INBOX/token:FLAGS[a b]" with keywords.
func (m Mail) String() string {
	name := fmt.Sprintf("%s/%s:%s", m.Mailbox, m.Token, m.Flags)
	if m.Keywords != "" {
		name += fmt.Sprint("[", m.Keywords, "]")
	}
	return name
}

func compareMail(a, b Mail) int {
	return cmp.Or(cmp.Compare(a.String(), b.String()), cmp.Compare(a.Date, b.Date), bytes.Compare(a.Digest[:], b.Digest[:]))
}

// place is where the store says that a message is: under a UID of a mailbox, or
// under a key of its folder.
type place struct {
	Mailbox string
	UID     state.UID
	Key     state.Key
}

// side is what one side shows. The places are those that this side can know.
type side map[place]Mail

// all returns the mail in a fixed order.
func (s side) all() []Mail { return slices.SortedFunc(maps.Values(s), compareMail) }

// names returns all mail in the form of [Mail.String], sorted.
func (s side) names() []string {
	names := []string{}
	for _, m := range s.all() {
		names = append(names, m.String())
	}
	return names
}
