package lab

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

// eachServer runs a test on all servers that there are.
func eachServer(t *testing.T, test func(t *testing.T, srv IMAP)) {
	t.Helper()
	for name, start := range map[string]func(testing.TB) IMAP{
		"dovecot": func(t testing.TB) IMAP { return Dovecot(t) },
		"cyrus":   func(t testing.TB) IMAP { return Cyrus(t) },
		"courier": func(t testing.TB) IMAP { return Courier(t) },
	} {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// Whichever server it is, the helpers do what they say.
func TestEachServerHelpers(t *testing.T) {
	eachServer(t, func(t *testing.T, srv IMAP) {
		srv.User("u1")
		ns := srv.Namespace("u1")
		box, other := ns.Name("Box", "Inner"), ns.Name("Other")
		srv.CreateMailbox("u1", ns.Name("Box"))
		srv.CreateMailbox("u1", box)
		srv.CreateMailbox("u1", ns.Name("Old"))
		srv.RenameMailbox("u1", ns.Name("Old"), other)
		srv.CreateMailbox("u1", ns.Name("Gone"))
		srv.DeleteMailbox("u1", ns.Name("Gone"))
		var names []string
		for _, m := range srv.Mailboxes("u1") {
			names = append(names, m.Name)
		}
		want := []string{"INBOX", ns.Name("Box"), box, other}
		slices.Sort(want)
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("the mailboxes (-want +got):\n%s", diff)
		}

		date := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
		for range 4 {
			srv.Append("u1", box, []string{`\Seen`, "Work"}, date, []byte("Subject: x\r\n\r\nhello\r\n"))
		}
		srv.StoreFlags("u1", box, state.NewUIDSet(2, 3), []string{`\Flagged`, "Home"}, []string{"Work"})
		srv.Move("u1", box, state.NewUIDSet(1), other)
		srv.StoreFlags("u1", box, state.NewUIDSet(3), []string{`\Deleted`}, nil)
		srv.Expunge("u1", box, state.NewUIDSet(4))
		check := func(mailbox string, want ...string) {
			t.Helper()
			var got []string
			for _, m := range srv.Messages("u1", mailbox) {
				got = append(got, fmt.Sprintf("%d %v %v %s %d", m.UID, m.Flags, m.Keywords, m.InternalDate.Format(time.DateTime), len(m.Body)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", mailbox, diff)
			}
		}
		check(box, "2 FS [Home] 2020-02-03 04:05:06 21", "3 FST [Home] 2020-02-03 04:05:06 21")
		check(other, "1 S [Work] 2020-02-03 04:05:06 21")

		srv.User("u1")
		if n := len(srv.Mailboxes("u1")); n != 1 {
			t.Errorf("a user made anew has %d mailboxes", n)
		}
		if n := len(srv.Messages("u1", "INBOX")); n != 0 {
			t.Errorf("a user made anew has %d messages", n)
		}
	})
}

// asServed returns the message as the server gives it back: what it changes is
// pinned here, and nothing else.
func asServed(srv IMAP, body []byte) []byte {
	peer, is := srv.(*Peer)
	switch {
	case is && peer.Name == "cyrus":
		// munge8bit, which is on by default: bytes above ASCII in the header.
		end := bytes.Index(body, []byte("\r\n\r\n"))
		header := slices.Clone(body[:max(end, 0)])
		for i, b := range header {
			if b >= 0x80 {
				header[i] = 'X'
			}
		}
		return append(header, body[len(header):]...)
	case is && peer.Name == "courier" && !bytes.HasSuffix(body, []byte("\r\n")):
		return append(slices.Clone(body), "\r\n"...)
	}
	return body
}

// What was loaded comes back byte for byte, but for what the server is known to
// change, so that the helpers can judge others. Cyrus takes no bare LF, and so
// none is loaded.
func TestEachServerLoads(t *testing.T) {
	eachServer(t, func(t *testing.T, srv IMAP) {
		srv.User("u1")
		messages := slices.Collect(corpus.Generate(corpus.Options{Count: 40, Seed: 5, MaxSize: 50_000}))
		messages = slices.DeleteFunc(messages, func(m corpus.Message) bool { return m.Kind == corpus.KindBareLF })
		mailbox := srv.Namespace("u1").Name("Lists")
		srv.Load("u1", mailbox, messages)
		got := srv.Messages("u1", mailbox)
		if len(got) != len(messages) {
			t.Fatalf("%d messages of %d", len(got), len(messages))
		}
		for i, m := range messages {
			if got[i].Flags != m.Flags || !got[i].InternalDate.Equal(m.Date) || !bytes.Equal(got[i].Body, asServed(srv, m.Body)) {
				t.Errorf("%s, %v: %v %v %d bytes, want %v %v %d bytes", m.Token, m.Kind,
					got[i].Flags, got[i].InternalDate, len(got[i].Body), m.Flags, m.Date, len(m.Body))
			}
		}
	})
}

// Peers refuse wrong passwords, run side by side, and leave nothing behind.
func TestPeersStopAndLeaveNothing(t *testing.T) {
	for name, start := range map[string]func() (*Peer, error){
		"cyrus":   func() (*Peer, error) { return startCyrus(nil) },
		"courier": func() (*Peer, error) { return startCourier(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			requirePeer(t, name)
			first, second := startPeer(t, name, start), startPeer(t, name, start)
			first.User("u1")
			second.User("u1")
			first.Append("u1", "INBOX", nil, time.Now(), []byte("Subject: x\r\n\r\n"))
			if n := len(second.Messages("u1", "INBOX")); n != 0 {
				t.Errorf("the second server has %d messages of the first", n)
			}
			c, err := imapclient.DialTLS(first.Addr(), &imapclient.Options{TLSConfig: first.TLS()})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login("u1", "wrong").Wait(); err == nil {
				t.Error("a wrong password is taken")
			}
			if err := c.Login("u1", "secret").Wait(); err != nil {
				t.Fatal(err)
			}
			first.Stop()
			<-c.Closed()
			if _, err := os.Stat(first.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is still there: %v", err)
			}
			if conn, err := tls.Dial("tcp", first.Addr(), first.TLS()); err == nil {
				conn.Close()
				t.Error("something still listens")
			}
			second.Messages("u1", "INBOX") // the other one goes on
		})
	}
}
