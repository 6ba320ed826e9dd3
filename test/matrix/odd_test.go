package matrix_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

// addressed returns a message with a To field for each of many people. Cyrus looks at
// 1,000 lines of a header and tells of nothing that stands behind them.
func addressed(token string) []byte {
	to := bytes.Repeat([]byte("To: someone@example.org\r\n"), 1200)
	return fmt.Appendf(nil, "From: a@example.org\r\n%sSubject: %s\r\nMessage-ID: <%[2]s@test>\r\n\r\nText of %[2]s.\r\n", to, token)
}

// TestHeaderHalfTold: what a server tells of a header need not be all that is in the
// message. Such a message counted as another one than its file: deleted here it was
// downloaded again, and the mailbox matched afresh, in each run.
func TestHeaderHalfTold(t *testing.T) {
	eachServer(t, func(t *testing.T, _ matrix.Server, srv lab.IMAP) {
		a := newAccount(t, srv)
		a.deliver("INBOX", "stays")
		for _, token := range []string{"down", "moved"} {
			a.srv.Append(a.user.Name, "INBOX", nil, time.Unix(first, 0), addressed(token))
		}
		a.sync()
		a.put("INBOX", "up", "", addressed("up"))
		a.sync()
		a.expect("INBOX/stays:", "INBOX/down:", "INBOX/moved:", "INBOX/up:")
		a.carry("INBOX", "moved", "Archive")
		a.must(os.Remove(a.file("INBOX", "down")))
		a.must(os.Remove(a.file("INBOX", "up")))
		if c := a.sync().Counts; c.MovedRemote != 1 || c.RemovedRemote != 2 || c.Rematched != 0 {
			t.Errorf("counts are %+v, want one message moved and two removed", c)
		}
		a.expect("INBOX/stays:", "Trash/down:", "Archive/moved:", "Trash/up:")
		a.carry("Archive", "moved", "INBOX")
		if c := a.sync().Counts; c.MovedRemote != 1 || c.Rematched != 0 {
			t.Errorf("counts are %+v, want one message moved", c)
		}
		a.expect("INBOX/stays:", "Trash/down:", "INBOX/moved:", "Trash/up:")
	})
}
