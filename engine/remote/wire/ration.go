package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mailmoor/state"
)

// The limits on how much a server may say until it has answered a command. Each
// follows from what it said before, or is far beyond what any server says.
const (
	// remarksMax is how many responses nobody needs to have asked for: remarks, and
	// what happens in the open mailbox.
	remarksMax = 10_000
	// tellsMax is how often each message of the open mailbox may be spoken of: once in
	// the answer, and again whenever another client changes it.
	tellsMax = 10
	// mailboxLinesMax is how many lines of LIST and STATUS there may be: with both,
	// twice the number of mailboxes.
	mailboxLinesMax = 250_000
	// searchBytesMax is the length of a message in a list of search results: ten
	// digits and what separates them.
	searchBytesMax = 11
)

// topic is what a response is about.
type topic uint8

const (
	aboutNothing topic = iota // status lines and all that is not listed below
	aboutMessages
	aboutMailboxes
	aboutSearch
	topics
)

// ration bounds what the server says. Everything behind it, go-imap's lists and ours,
// grows with responses, so none of them can grow further than this. It is guarded by
// Conn.mu.
type ration struct {
	// exists is how many messages the open mailbox has by the server's latest word,
	// ever how many different ones it may have shown of it.
	exists, ever uint64
	// told are the responses, of search results the bytes, since the last tagged answer.
	told [topics]uint64
}

// open is for a command that opens another mailbox. What was said of the one before
// counts for nothing from then on.
func (r *ration) open() { r.exists, r.ever = 0, 0 }

// renew is for a tagged answer.
func (r *ration) renew() { r.told = [topics]uint64{} }

// messages is how many messages may be told apart in the open mailbox.
func (r *ration) messages() uint64 { return r.ever }

// searchLine is how long a line of search results may be.
func (r *ration) searchLine(lineMax int) int {
	return int(min(uint64(lineMax)+searchBytesMax*r.ever, searchLineMax))
}

// take counts a response of so many bytes. It returns an error when that is more than
// the server can have to say.
func (r *ration) take(line string, size, lineMax int) (topic, error) {
	about := r.note(line)
	switch about {
	case aboutSearch:
		r.told[about] += uint64(size)
		if most := uint64(r.searchLine(lineMax)); r.told[about] > most {
			return about, fmt.Errorf("the server sent more than %d bytes of search results of a mailbox with %s", most, state.Count(int64(r.ever), "message"))
		}
	case aboutMessages:
		r.told[about]++
		if most := remarksMax + tellsMax*r.ever; r.told[about] > most {
			return about, fmt.Errorf("the server spoke more than %d times of the messages of a mailbox with %d", most, r.ever)
		}
	case aboutMailboxes:
		if r.told[about]++; r.told[about] > mailboxLinesMax {
			return about, fmt.Errorf("the server sent more than %d lines about mailboxes in one answer", mailboxLinesMax)
		}
	default:
		if r.told[about]++; r.told[about] > remarksMax {
			return about, errTalk
		}
	}
	return about, nil
}

var errTalk = fmt.Errorf("the server made more than %d remarks that nobody asked for and did not answer", remarksMax)

// errLiteralEnd is for a literal behind which the response does not go on.
var errLiteralEnd = errors.New("the server sent a message of another length than it announced")

// note takes in what the response says of the open mailbox, and returns what it is
// about.
func (r *ration) note(line string) topic {
	first, rest, _ := strings.Cut(strings.TrimPrefix(line, "* "), " ")
	switch strings.ToUpper(first) {
	case "LIST", "STATUS", "LSUB", "XLIST":
		return aboutMailboxes
	case "SEARCH", "ESEARCH":
		return aboutSearch
	}
	n, err := strconv.ParseUint(first, 10, 32)
	if err != nil {
		return aboutNothing
	}
	verb, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	switch strings.ToUpper(verb) {
	case "EXISTS":
		if n > r.exists {
			r.ever += n - r.exists
		}
		r.exists = n
	case "EXPUNGE":
		if r.exists > 0 {
			r.exists--
		}
	case "FETCH":
	default:
		return aboutNothing
	}
	return aboutMessages
}
