package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

// account is mail on a server, the same in each run.
type account struct {
	name  string // also that of the user
	boxes []corpus.Mailbox
	bytes int // of a message, on average
}

// Mailboxes that the changes are made in.
const (
	inbox   = "INBOX"
	archive = "Archive"
)

func accounts() (big, pair, many, wide account) {
	big = account{"big", []corpus.Mailbox{{Name: inbox, Messages: *bigMessages}}, smallBytes}
	pair = account{"pair", []corpus.Mailbox{{Name: inbox, Messages: *pairMessages}, {Name: archive, Messages: *pairMessages}}, smallBytes}
	many = account{"many", []corpus.Mailbox{{Name: inbox, Messages: *messages / 2}, {Name: archive}}, mailBytes}
	for i := len(many.boxes); i < *mailboxes; i++ {
		many.boxes = append(many.boxes, corpus.Mailbox{Name: fmt.Sprintf("List %d", i)})
	}
	for i := range *messages - *messages/2 {
		many.boxes[1+i%(len(many.boxes)-1)].Messages++
	}
	wide = account{"wide", []corpus.Mailbox{{Name: inbox, Messages: wideEach}}, smallBytes}
	for i := 1; i < *wideBoxes; i++ {
		wide.boxes = append(wide.boxes, corpus.Mailbox{Name: fmt.Sprintf("List %d", i), Messages: wideEach})
	}
	return big, pair, many, wide
}

// fill puts the account's mail on the server.
func (a account) fill(srv *lab.Server) {
	random := rand.New(rand.NewPCG(1, 1))
	number := 0
	for _, box := range a.boxes {
		for left := box.Messages; ; {
			var mail []corpus.Message
			for range min(left, loadAtOnce) {
				size := a.bytes
				if size > smallBytes { // half as much to one and a half
					size = size/2 + random.IntN(size)
				}
				mail = append(mail, message(number, size))
				number++
			}
			srv.Load(a.name, box.Name, mail)
			if left -= len(mail); left == 0 {
				break
			}
		}
	}
}

// message returns a message that both programs take as it is: mbsync leaves out those
// without an end of the header, and changes those with NULs.
func message(number, size int) corpus.Message {
	date := time.Date(2020, 1, 1, 0, 0, number, 0, time.UTC)
	var b strings.Builder
	fmt.Fprintf(&b, "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Number %d\r\n", number)
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%d.%d@bench.example>\r\n\r\n", date.Format(time.RFC1123Z), number, size)
	for line := 0; b.Len() < size; line++ {
		fmt.Fprintf(&b, "Line %d of message %d, which says as little as the others.\r\n", line, number)
	}
	return corpus.Message{Flags: state.Seen, Date: date, Body: []byte(b.String())}
}
