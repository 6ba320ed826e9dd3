package quirk_test

import (
	"crypto/tls"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/test/quirk"
)

// client logs in to the server with go-imap alone.
func client(t *testing.T, srv *quirk.Server) *imapclient.Client {
	t.Helper()
	addr := net.JoinHostPort(srv.Host, strconv.Itoa(srv.Port))
	c, err := imapclient.DialTLS(addr, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: srv.Roots, ServerName: srv.Host}})
	if err == nil {
		err = c.Login(quirk.User, quirk.Password).Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestServer: without quirks the server is one that another client understands, also
// in what the engine does not use.
func TestServer(t *testing.T) {
	t.Parallel()
	srv := quirk.New(t, quirk.Options{})
	for _, token := range []string{"a", "b", "c"} {
		srv.Deliver("INBOX", time.Unix(start, 0), body(token))
	}
	c := client(t, srv)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	namespace, err := c.Namespace().Wait()
	must(err)
	if len(namespace.Personal) != 1 || namespace.Personal[0].Delim != '/' {
		t.Errorf("namespaces are %+v", namespace)
	}
	data, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true, CondStore: true}).Wait()
	must(err)
	if data.NumMessages != 3 || data.UIDNext != 4 || data.HighestModSeq == 0 {
		t.Errorf("EXAMINE says %+v", data)
	}
	srv.SetFlags("INBOX", 2, `\Seen`)
	changed, err := c.Fetch(imap.UIDSet{{Start: 1}}, &imap.FetchOptions{UID: true, Flags: true, ChangedSince: data.HighestModSeq}).Collect()
	must(err)
	if len(changed) != 1 || changed[0].UID != 2 || len(changed[0].Flags) != 1 || changed[0].ModSeq <= data.HighestModSeq {
		t.Errorf("changed since then is %+v", changed)
	}
	idle, err := c.Idle()
	must(err)
	srv.Expunge("INBOX", 1)
	must(idle.Close())
	must(idle.Wait())
	found, err := c.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true}).Wait()
	must(err)
	if got := found.All.String(); got != "2,3" && got != "2:3" {
		t.Errorf("after an IDLE the mailbox has %s, want 2 and 3", got)
	}
	must(c.Unselect().Wait())
	if err := c.Login(quirk.User, "wrong").Wait(); err == nil {
		t.Error("a wrong password is taken")
	}
	if _, err := c.Select("Nowhere", nil).Wait(); err == nil {
		t.Error("a mailbox that does not exist can be opened")
	}
}
