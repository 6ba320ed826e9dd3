package matrix_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/test/corpus"
	"mailmoor/test/home"
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

// TestOddWithoutState: what breaks rules, and what a server stores in other bytes than it
// was sent, was there twice on both sides after the state had been lost, from wherever it
// had come.
func TestOddWithoutState(t *testing.T) {
	eachStorage(t, func(t *testing.T, storage corpus.Storage, srv lab.IMAP) {
		a := newAccount(t, srv)
		n := 0
		for _, odd := range corpus.Oddities() {
			if storage.Store(odd.Body) == nil {
				continue
			}
			n++
			srv.Append(a.user.Name, a.mailbox("Archive"), nil, time.Unix(int64(first+n), 0), odd.Body)
		}
		a.run()
		for i, odd := range corpus.Oddities() {
			if storage.Store(odd.Body) != nil {
				path := filepath.Join(a.folder("INBOX"), "cur", fmt.Sprintf("%d.odd:2,", i))
				a.must(os.WriteFile(path, odd.Body, 0o600))
				a.must(os.Chtimes(path, time.Time{}, time.Unix(int64(first+i), 0)))
			}
		}
		a.sync()
		sent, server := a.inTree(), a.onServer()
		if len(sent) != 2*n || len(server) != 2*n {
			t.Fatalf("the tree has %d messages and the server %d, want %d", len(sent), len(server), 2*n)
		}
		for range 2 {
			a.must(home.Forget(a.state))
			if c := a.sync().Counts; c.Paired != 2*n || c.Downloaded+c.Uploaded != 0 {
				t.Errorf("without the state %+v, want %d messages paired and none transferred", c, 2*n)
			}
		}
		a.proxy.Reset()
		if c := a.sync().Counts; c != (engine.Counts{}) || len(a.proxy.Changing()) > 0 {
			t.Errorf("a run with nothing to do did %+v", c)
		}
		if diff := cmp.Diff(sent, a.inTree()); diff != "" {
			t.Errorf("the tree changed (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(server, a.onServer()); diff != "" {
			t.Errorf("the server changed (-before +after):\n%s", diff)
		}
	})
}

// TestOddMovedAndDeleted: such messages are moved to and fro, and deleted, like all others.
// One with a header line of 70,000 bytes could be neither, and doubled in each run.
func TestOddMovedAndDeleted(t *testing.T) {
	eachStorage(t, func(t *testing.T, storage corpus.Storage, srv lab.IMAP) {
		a := newAccount(t, srv)
		a.deliver("INBOX", "stays")
		a.deliver("Archive", "stays")
		a.sync()
		n := 0
		for i, odd := range corpus.Oddities() {
			if storage.Store(odd.Body) == nil {
				continue
			}
			n++
			if i%2 == 0 {
				srv.Append(a.user.Name, "INBOX", nil, time.Unix(int64(first+i), 0), odd.Body)
				continue
			}
			a.must(os.WriteFile(filepath.Join(a.folder("INBOX"), "cur", fmt.Sprintf("%d.odd:2,", i)), odd.Body, 0o600))
		}
		a.sync()
		for _, places := range [][2]string{{"INBOX", "Archive"}, {"Archive", "INBOX"}, {"INBOX", "Archive"}} {
			for _, path := range a.oddFiles(places[0]) {
				a.must(os.Rename(path, filepath.Join(a.folder(places[1]), "cur", filepath.Base(path))))
			}
			if c := a.sync().Counts; c.MovedRemote != n || c.Downloaded+c.Uploaded+c.Rematched != 0 {
				t.Errorf("moved from %s to %s: counts are %+v, want %d messages moved", places[0], places[1], c, n)
			}
		}
		a.must(home.Forget(a.state))
		if c := a.sync().Counts; c.Downloaded+c.Uploaded != 0 {
			t.Errorf("without the state: counts are %+v, want nothing transferred", c)
		}
		for _, path := range a.oddFiles("Archive") {
			a.must(os.Remove(path))
		}
		if c := a.sync().Counts; c.RemovedRemote != n || c.Downloaded != n || c.Uploaded+c.Rematched != 0 {
			t.Errorf("deleted: counts are %+v, want %d messages removed, which arrive in Trash", c, n)
		}
		for name, want := range map[string]int{"INBOX": 0, "Archive": 0, "Trash": n} {
			messages := slices.DeleteFunc(srv.Messages(a.user.Name, a.mailbox(name)), func(m lab.Message) bool { return tokenOf(m.Body) == "stays" })
			if files := a.oddFiles(name); len(messages) != want || len(files) != want {
				t.Errorf("%s has %d odd messages and %d files, want %d", name, len(messages), len(files), want)
			}
		}
		if c := a.sync().Counts; c != (engine.Counts{}) {
			t.Errorf("a run with nothing to do did %+v", c)
		}
	})
}

// oddFiles returns the paths of all files of a folder but that of the message that stays.
func (a *account) oddFiles(name string) []string {
	a.Helper()
	paths, err := filepath.Glob(filepath.Join(a.folder(name), "[cn][ue][rw]", "*"))
	a.must(err)
	return slices.DeleteFunc(paths, func(path string) bool {
		data, err := os.ReadFile(path)
		a.must(err)
		return tokenOf(data) == "stays"
	})
}
