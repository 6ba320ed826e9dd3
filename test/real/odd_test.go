package real

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailmoor/state"
)

// longHeaders are messages of which no limit may know only a part, and the side they come
// from: a line of a header that is longer than what is looked at at once, in an address
// field and in the field that tells messages apart.
func longHeaders() []oddMessage {
	to := fmt.Appendf(nil, "From: a@example.org\r\nTo: %send@example.org\r\nSubject: odd\r\nMessage-ID: <odd@test>\r\n\r\nText.\r\n",
		strings.Repeat("someone@example.org, ", 3500))
	id := fmt.Appendf(nil, "From: a@example.org\r\nMessage-ID: <%s@test>\r\nSubject: odd\r\n\r\nText.\r\n",
		strings.Repeat("y", 70_000))
	folded := fmt.Appendf(nil, "From: a@example.org\r\nTo: x@example.org\r\n%sSubject: odd\r\nMessage-ID: <odd@test>\r\n\r\nText.\r\n",
		strings.Repeat(" , someone@example.org\r\n", 4000))
	return []oddMessage{
		{"long To, from the server", state.Remote, to},
		{"long To, from the tree", state.Local, to},
		{"long Message-ID", state.Remote, id},
		{"many lines", state.Local, folded},
	}
}

type oddMessage struct {
	name string
	from state.Side
	data []byte
}

// TestLongHeaders: a message with a header line of 70,000 bytes could be neither
// deleted nor moved, "another message stands under this UID", and each run downloaded it
// once more: the digest of its header depended on where a read from the line ended.
func TestLongHeaders(t *testing.T) {
	srv := newServer(t)
	for _, odd := range longHeaders() {
		t.Run(odd.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.deliver("INBOX", "other")
			a.clean()
			if odd.from == state.Remote {
				a.srv.Append(a.user, "INBOX", nil, time.Unix(start, 0), odd.data)
			} else {
				a.putFile("INBOX", "cur/1.odd:2,", lf(odd.data), start)
			}
			a.clean()
			for _, places := range [][2]string{{"INBOX", "Archive"}, {"Archive", "INBOX"}, {"INBOX", "Archive"}} {
				a.carry(places[0], "odd", places[1])
				a.clean()
			}
			a.expect("Archive/odd:", "INBOX/other:")
			a.srv.Move(a.user, "Archive", a.uid("Archive", "odd"), "INBOX")
			if c := a.clean().Counts; c.Downloaded+c.Uploaded > 0 {
				t.Errorf("counts are %+v, want nothing transferred", c)
			}
			a.drop("INBOX", "odd")
			a.clean()
			a.expect("Trash/odd:", "INBOX/other:")
		})
	}
}
