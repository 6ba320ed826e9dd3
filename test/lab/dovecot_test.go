package lab

import (
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

func TestDovecotStopsAndLeavesNothing(t *testing.T) {
	Require(t, "dovecot")
	srv, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", srv.Addr(), srv.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	srv.Stop()
	if _, err := os.Stat(srv.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if _, err := conn.Read(make([]byte, 1000)); err == nil {
		if _, err = conn.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is still open")
		}
	}
	if conn, err := tls.Dial("tcp", srv.Addr(), srv.TLS()); err == nil {
		conn.Close()
		t.Error("something still listens")
	}
}

func TestLogins(t *testing.T) {
	const password = `pass "word" \ 100% {5} ü`
	srv := Dovecot(t, Password(password))
	options := &imapclient.Options{TLSConfig: srv.TLS()}
	dials := map[string]func() (*imapclient.Client, error){
		"implicit TLS": func() (*imapclient.Client, error) { return imapclient.DialTLS(srv.Addr(), options) },
		"STARTTLS":     func() (*imapclient.Client, error) { return imapclient.DialStartTLS(srv.PlainAddr(), options) },
		"plain":        func() (*imapclient.Client, error) { return imapclient.DialInsecure(srv.PlainAddr(), options) },
	}
	for name, dial := range dials {
		t.Run(name, func(t *testing.T) {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login("u1", "wrong").Wait(); err == nil {
				t.Error("a wrong password is taken")
			}
			if err := c.Login("u1", password).Wait(); err != nil {
				t.Errorf("log in: %v", err)
			}
		})
	}
}

func TestRequireTLS(t *testing.T) {
	srv := Dovecot(t, RequireTLS())
	c, err := imapclient.DialInsecure(srv.PlainAddr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Caps().Has(imap.CapLoginDisabled) {
		t.Error("LOGINDISABLED is not announced")
	}
	if err := c.Login("u1", srv.Password).Wait(); err == nil {
		t.Error("a login without TLS is taken")
	}
	srv.Mailboxes("u1") // with TLS it works
}

// The server must say the same to its own client whichever way mail came in,
// otherwise the helpers cannot judge others.
func TestLoadAndAppendAgree(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	messages := slices.Collect(corpus.Generate(corpus.Options{Count: 60, Seed: 5, MaxSize: 50_000}))
	srv.Load("u1", "Lists/Go – ü", messages)
	srv.CreateMailbox("u1", "Other")
	for _, m := range messages {
		srv.Append("u1", "Other", IMAPFlags(m.Flags), m.Date, m.Body)
	}
	loaded, appended := srv.Messages("u1", "Lists/Go – ü"), srv.Messages("u1", "Other")
	if diff := cmp.Diff(appended, loaded); diff != "" {
		t.Errorf("appended and loaded messages differ:\n%s", diff)
	}
	for i, m := range messages {
		got := loaded[i]
		if got.Flags != m.Flags || !got.InternalDate.Equal(m.Date) || len(got.Keywords) > 0 {
			t.Errorf("%s: %v %v %v, want %v %v", m.Token, got.Flags, got.Keywords, got.InternalDate, m.Flags, m.Date)
		}
		if m.Kind != corpus.KindBareLF && m.Kind != corpus.KindDuplicate && string(got.Body) != string(m.Body) {
			t.Errorf("%s, %v, came back with %d bytes, had %d", m.Token, m.Kind, len(got.Body), len(m.Body))
		}
	}
}

func TestMailboxHelpers(t *testing.T) {
	srv := Dovecot(t, SpecialUse("Trash", "Sent"))
	srv.User("u1")
	srv.CreateMailbox("u1", "A/B")
	srv.CreateMailbox("u1", "C")
	srv.RenameMailbox("u1", "C", "Büro")
	srv.CreateMailbox("u1", "D")
	srv.DeleteMailbox("u1", "D")
	var names []string
	for _, m := range srv.Mailboxes("u1") {
		names = append(names, m.Name)
		if m.Name == "Trash" && !slices.Contains(m.Attrs, `\Trash`) {
			t.Errorf("Trash has the attributes %v", m.Attrs)
		}
	}
	if diff := cmp.Diff([]string{"A", "A/B", "Büro", "INBOX", "Sent", "Trash"}, names); diff != "" {
		t.Errorf("mailboxes:\n%s", diff)
	}
}

func TestMessageHelpers(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	srv.CreateMailbox("u1", "Box")
	date := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	for range 4 {
		srv.Append("u1", "INBOX", []string{`\Seen`, "Work"}, date, []byte("Subject: x\r\n\r\nhello\r\n"))
	}
	srv.StoreFlags("u1", "INBOX", state.NewUIDSet(2, 3), []string{`\Flagged`, "Home"}, []string{"Work"})
	srv.Move("u1", "INBOX", state.NewUIDSet(1), "Box")
	srv.StoreFlags("u1", "INBOX", state.NewUIDSet(3), []string{`\Deleted`}, nil)
	srv.Expunge("u1", "INBOX", state.NewUIDSet(4))
	type short struct {
		UID      state.UID
		Flags    string
		Keywords string
	}
	want := map[string][]short{
		"INBOX": {{2, "FS", "Home"}, {3, "FST", "Home"}},
		"Box":   {{1, "S", "Work"}},
	}
	for mailbox, messages := range want {
		var got []short
		for _, m := range srv.Messages("u1", mailbox) {
			got = append(got, short{m.UID, m.Flags.String(), strings.Join(m.Keywords, " ")})
			if !m.InternalDate.Equal(date) {
				t.Errorf("UID %d of %s has date %v", m.UID, mailbox, m.InternalDate)
			}
		}
		if diff := cmp.Diff(messages, got); diff != "" {
			t.Errorf("%s:\n%s", mailbox, diff)
		}
	}
	if srv.User("u1"); len(srv.Messages("u1", "INBOX")) != 0 {
		t.Error("a user made anew still has mail")
	}
}

func TestWipeAndRestoreStore(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	srv.Load("u1", "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 3})))
	before := srv.Messages("u1", "INBOX")
	srv.WipeStore("u1", "INBOX")
	if n := len(srv.Messages("u1", "INBOX")); n != 0 {
		t.Errorf("%d messages in a wiped store", n)
	}
	srv.RestoreStore("u1", "INBOX")
	after := srv.Messages("u1", "INBOX")
	if len(after) != 3 || after[0].Sum != before[0].Sum {
		t.Errorf("%d messages after the restore", len(after))
	}
}

func TestQuotaAndACL(t *testing.T) {
	srv := Dovecot(t, Quota(10_000), ACL())
	srv.User("u1")
	srv.CreateMailbox("u1", "Shared")
	srv.SetACL("u1", "Shared", "lr")
	refused := func(mailbox string, body []byte) imap.ResponseCode {
		_, err := srv.TryAppend("u1", mailbox, nil, time.Now(), body)
		if answer := new(imap.Error); errors.As(err, &answer) {
			return answer.Code
		}
		return ""
	}
	if code := refused("Shared", []byte("Subject: x\r\n\r\n")); code != imap.ResponseCodeNoPerm {
		t.Errorf("append to a read-only mailbox: code %q", code)
	}
	if code := refused("INBOX", []byte("Subject: x\r\n\r\n")); code != "" {
		t.Errorf("append below the quota: code %q", code)
	}
	if code := refused("INBOX", []byte("Subject: x\r\n\r\n"+strings.Repeat("too much\r\n", 2000))); code != imap.ResponseCodeOverQuota {
		t.Errorf("append beyond the quota: code %q", code)
	}
}
