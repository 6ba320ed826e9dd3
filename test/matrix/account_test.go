package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// first is the date of the first message, in Unix seconds.
const first = 1_600_000_000

// users counts the accounts, so that tests side by side do not meet.
var users atomic.Int64

// account is an account on a server with a tree beside it.
type account struct {
	*testing.T
	srv   lab.IMAP
	user  *lab.User
	ns    lab.Namespace
	proxy *lab.Proxy
	root  string
	state string
	// marks is true where removed messages stay behind, marked deleted: the server
	// has no UIDPLUS, and nobody's deleted messages may be expunged.
	marks bool
	// named are the prefixes of namespaces that the user asks for by name.
	named []string
}

// newAccount returns an account with mailboxes called Trash, Archive and Drafts
// and nothing in them. The engine reaches it through a proxy that records, and
// hides capabilities.
func newAccount(t *testing.T, srv lab.IMAP, hide ...string) *account {
	t.Helper()
	base := t.TempDir()
	name := "u" + strconv.FormatInt(users.Add(1), 10)
	a := &account{T: t, srv: srv, user: srv.User(name), marks: slices.Contains(hide, "UIDPLUS"), root: filepath.Join(base, "mail"), state: filepath.Join(base, "state")}
	a.ns = srv.Namespace(a.user.Name)
	a.proxy = lab.Mask(t, srv, hide...)
	there := map[string]bool{}
	for _, m := range srv.Mailboxes(a.user.Name) {
		there[m.Name] = true
	}
	for _, name := range []string{"Trash", "Archive", "Drafts"} {
		if mailbox := a.mailbox(name); !there[mailbox] {
			srv.CreateMailbox(a.user.Name, mailbox)
		}
	}
	return a
}

// mailbox returns what the server calls the mailbox.
func (a *account) mailbox(name string) string {
	if name == "INBOX" {
		return name
	}
	return a.ns.Name(name)
}

// folder returns the directory of the mailbox: it has the same name on every
// server, whatever prefix stands before that of the mailbox.
func (a *account) folder(name string) string { return filepath.Join(a.root, name) }

func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// body returns a message that is told from others by its token.
func body(token string) []byte {
	return fmt.Appendf(nil, "From: a@example.org\r\nMessage-ID: <%s@test>\r\nSubject: %[1]s\r\n\r\nText of %[1]s.\r\n", token)
}

func tokenOf(data []byte) string {
	_, rest, _ := strings.Cut(string(data), "Subject: ")
	token, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(token)
}

// deliver adds a message on the server.
func (a *account) deliver(name string, tokens ...string) {
	a.Helper()
	for _, token := range tokens {
		a.srv.Append(a.user.Name, a.mailbox(name), nil, time.Unix(first, 0), body(token))
	}
}

// uid returns the UID of a token's message.
func (a *account) uid(name, token string) state.UIDSet {
	a.Helper()
	for _, m := range a.srv.Messages(a.user.Name, a.mailbox(name)) {
		if tokenOf(m.Body) == token {
			return state.NewUIDSet(m.UID)
		}
	}
	a.Fatalf("mailbox %s has no %s", name, token)
	return nil
}

// flag sets exactly these flags on the server.
func (a *account) flag(name, token, letters string) {
	a.Helper()
	want := state.ParseFlags(letters)
	a.srv.StoreFlags(a.user.Name, a.mailbox(name), a.uid(name, token), lab.IMAPFlags(want), lab.IMAPFlags(state.AllFlags&^want))
}

// put adds a file to cur of the folder.
func (a *account) put(name, token, letters string, data []byte) {
	a.Helper()
	tmp := filepath.Join(a.folder(name), "tmp", "written")
	a.must(os.WriteFile(tmp, lf(data), 0o600))
	a.must(os.Chtimes(tmp, time.Time{}, time.Unix(first, 0)))
	a.must(os.Rename(tmp, filepath.Join(a.folder(name), "cur", fmt.Sprintf("%s.%d:2,%s", token, time.Now().UnixNano(), letters))))
}

func lf(data []byte) []byte { return []byte(strings.ReplaceAll(string(data), "\r\n", "\n")) }

// file returns the path of a token's file.
func (a *account) file(name, token string) string {
	a.Helper()
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(a.folder(name), sub))
		a.must(err)
		for _, entry := range entries {
			path := filepath.Join(a.folder(name), sub, entry.Name())
			data, err := os.ReadFile(path)
			a.must(err)
			if tokenOf(data) == token {
				return path
			}
		}
	}
	a.Fatalf("folder %s has no %s", name, token)
	return ""
}

// letters renames a token's file to these letters.
func (a *account) letters(name, token, letters string) {
	a.Helper()
	path := a.file(name, token)
	key, _, _ := strings.Cut(filepath.Base(path), ":2,")
	a.must(os.Rename(path, filepath.Join(a.folder(name), "cur", key+":2,"+letters)))
}

// carry moves a token's file to another folder under the same name.
func (a *account) carry(name, token, dest string) {
	a.Helper()
	from := a.file(name, token)
	a.must(os.Rename(from, filepath.Join(a.folder(dest), "cur", filepath.Base(from))))
}

// edit replaces the content of a token's file, as an editor would.
func (a *account) edit(name, token string, data []byte) {
	a.Helper()
	path := a.file(name, token)
	tmp := filepath.Join(a.folder(name), "tmp", "edited")
	a.must(os.WriteFile(tmp, lf(data), 0o600))
	a.must(os.Chtimes(tmp, time.Time{}, time.Unix(first, 0)))
	a.must(os.Rename(tmp, path))
}

// sync runs once and expects nothing to complain about.
func (a *account) sync() engine.Report {
	a.Helper()
	report := a.run()
	for _, p := range report.Problems {
		a.Errorf("unexpected problem: %+v", p)
	}
	for _, h := range report.Holds {
		a.Errorf("unexpected hold: %+v", h)
	}
	return report
}

// run runs once, with everything opened before and closed after it.
func (a *account) run() engine.Report {
	a.Helper()
	h, err := home.Open(a.Context(), home.Account{Root: a.root, States: a.state, Host: a.host(), User: a.user.Name})
	a.must(err)
	e := engine.New(engine.Options{
		Account: "test", Connect: a.connect, Connections: 2, Local: h.Tree, Store: h.Store, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
	})
	report, err := e.Sync(a.Context())
	a.must(errors.Join(err, e.Close(), h.Close()))
	return report
}

// host is what the program is told to connect to, without the port.
func (a *account) host() string {
	host, _, err := net.SplitHostPort(a.proxy.Addr())
	a.must(err)
	return host
}

func (a *account) connect(ctx context.Context) (engine.Remote, error) {
	host, text, err := net.SplitHostPort(a.proxy.Addr())
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	c, err := remote.Dial(ctx, wire.Config{
		Host: host, Port: port, Roots: a.proxy.TLS().RootCAs, User: a.user.Name,
		Secret: func(context.Context) (string, error) { return a.user.Password, nil },
	}, remote.Options{Named: func(prefix string, _ rune) bool { return slices.Contains(a.named, prefix) }})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// expect checks that both sides hold exactly this mail, "mailbox/token:flags",
// with equal content and dates, and that another run changes nothing.
func (a *account) expect(want ...string) {
	a.Helper()
	slices.Sort(want)
	server, tree := a.onServer(), a.inTree()
	if diff := cmp.Diff(want, names(server)); diff != "" {
		a.Errorf("the server (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(server, tree); diff != "" {
		a.Errorf("the sides differ (-server +tree):\n%s", diff)
	}
	a.proxy.Reset()
	report := a.sync()
	for _, c := range a.proxy.Changing() {
		a.Errorf("a run with nothing to do sent %q", c.Line)
	}
	if report.Counts != (engine.Counts{}) {
		a.Errorf("a run with nothing to do did %+v", report.Counts)
	}
	if diff := cmp.Diff(tree, a.inTree()); diff != "" {
		a.Errorf("a run with nothing to do changed the tree:\n%s", diff)
	}
}

// names drops the content.
func names(mail []string) []string {
	var list []string
	for _, m := range mail {
		name, _, _ := strings.Cut(m, "\n")
		list = append(list, name)
	}
	return list
}

// entry describes a message alike for both sides.
func entry(name, letters string, date time.Time, data []byte) string {
	return fmt.Sprintf("%s/%s:%s\n%d\n%s", name, tokenOf(data), letters, date.Unix(), data)
}

func (a *account) onServer() []string {
	a.Helper()
	var list []string
	for _, name := range []string{"INBOX", "Trash", "Archive", "Drafts"} {
		for _, m := range a.srv.Messages(a.user.Name, a.mailbox(name)) {
			if a.marks && m.Flags&state.Trashed != 0 {
				continue
			}
			list = append(list, entry(name, m.Flags.String(), m.InternalDate, lf(m.Body)))
		}
	}
	slices.Sort(list)
	return list
}

func (a *account) inTree() []string {
	a.Helper()
	var list []string
	for _, name := range []string{"INBOX", "Trash", "Archive", "Drafts"} {
		for _, sub := range []string{"new", "cur"} {
			entries, err := os.ReadDir(filepath.Join(a.folder(name), sub))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			a.must(err)
			for _, file := range entries {
				data, err := os.ReadFile(filepath.Join(a.folder(name), sub, file.Name()))
				a.must(err)
				info, err := file.Info()
				a.must(err)
				_, letters, _ := strings.Cut(file.Name(), ":2,")
				list = append(list, entry(name, state.ParseFlags(letters).String(), info.ModTime(), data))
			}
		}
	}
	slices.Sort(list)
	return list
}
