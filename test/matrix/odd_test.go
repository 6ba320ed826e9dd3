package matrix_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/test/corpus"
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

// eachStorage runs a test on every server of the table, and on a Dovecot with mbox storage.
func eachStorage(t *testing.T, test func(t *testing.T, storage corpus.Storage, srv lab.IMAP)) {
	t.Helper()
	for _, storage := range corpus.Storages() {
		t.Run(storage.Name, func(t *testing.T) {
			for _, row := range matrix.Servers() {
				if row.Name == storage.Name {
					test(t, storage, row.Start(t))
					return
				}
			}
			test(t, storage, lab.Dovecot(t, lab.MboxStorage(), lab.SpecialUse("Trash", "Archive", "Drafts")))
		})
	}
}

// TestStorages: the servers make of messages what test/corpus says, by which other tests go.
func TestStorages(t *testing.T) {
	eachStorage(t, func(t *testing.T, storage corpus.Storage, srv lab.IMAP) {
		u := srv.User("u" + strconv.FormatInt(users.Add(1), 10))
		c, err := imapclient.DialTLS(srv.Addr(), &imapclient.Options{TLSConfig: srv.TLS()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(u.Name, u.Password).Wait(); err != nil {
			t.Fatal(err)
		}
		var taken []corpus.Odd
		for _, odd := range append(corpus.Oddities(), randomOddities()...) {
			cmd := c.Append("INBOX", int64(len(odd.Body)), nil)
			_, err := cmd.Write(odd.Body)
			if err := errors.Join(err, cmd.Close()); err != nil {
				t.Fatal(err)
			}
			_, err = cmd.Wait()
			if refused := err != nil; refused != (storage.Store(odd.Body) == nil) {
				t.Errorf("%s, %q: %v, want %q", odd.Name, shortened(odd.Body), err, shortened(storage.Store(odd.Body)))
			}
			if err == nil {
				taken = append(taken, odd)
			}
		}
		for i, m := range srv.Messages(u.Name, "INBOX") {
			if want := storage.Store(taken[i].Body); !bytes.Equal(m.Body, want) {
				t.Errorf("%s, %q: stored as\n%q, want\n%q", taken[i].Name, shortened(taken[i].Body), shortened(m.Body), shortened(want))
			}
		}
	})
}

// randomOddities returns messages with line ends, NULs and the like in any order.
func randomOddities() []corpus.Odd {
	pieces := []string{"a", "\r", "\r\n", "\r\r\n", "\n", "\x00", "\x80", " "}
	random := rand.New(rand.NewPCG(1, 2))
	var all []corpus.Odd
	for range 100 {
		body := []byte("Subject: random\r\n\r\n")
		for range random.IntN(8) {
			body = append(body, pieces[random.IntN(len(pieces))]...)
		}
		all = append(all, corpus.Odd{Name: "random", Body: body})
	}
	return all
}

// shortened returns what can be read of a message.
func shortened(body []byte) []byte { return body[:min(len(body), 300)] }
