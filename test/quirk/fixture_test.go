package quirk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/quirk"
)

const (
	// start is the date of the messages that the tests make.
	start = 1_600_000_000
	// quietMax is how many runs may be needed until nothing is left to do.
	quietMax = 6
)

// account is the user of a server with a tree and a state on the disk.
type account struct {
	*testing.T
	srv *quirk.Server
	// root is the Maildir tree, states the directory of the program's state.
	root, states string
	// ahead is how far the clock of the engine is ahead.
	ahead time.Duration
	// config may change how the engine connects, options how it is put together.
	config  func(*wire.Config)
	options func(*engine.Options)
	files   int
	// noExpunge is true for a server without UIDPLUS, on which removed messages stay
	// behind, marked deleted.
	noExpunge bool
	// final is true when the user wants messages gone for good from the server.
	final bool
	// noDates is true for a server that does not tell when messages arrived.
	noDates bool
}

func newAccount(t *testing.T, o quirk.Options) *account {
	t.Helper()
	base := t.TempDir()
	return &account{T: t, srv: quirk.New(t, o), root: filepath.Join(base, "mail"), states: filepath.Join(base, "state")}
}

func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *account) now() time.Time { return time.Now().Add(a.ahead) }

func (a *account) later(d time.Duration) { a.ahead += d }

func (a *account) open() (*home.Home, error) {
	return home.Open(a.Context(), home.Account{Root: a.root, States: a.states, Host: a.srv.Host, User: quirk.User, Now: a.now})
}

func (a *account) connect(ctx context.Context) (engine.Remote, error) {
	cfg := wire.Config{
		Host: a.srv.Host, Port: a.srv.Port, Roots: a.srv.Roots, User: quirk.User,
		Secret: func(context.Context) (string, error) { return quirk.Password, nil },
	}
	if a.config != nil {
		a.config(&cfg)
	}
	c, err := remote.Dial(ctx, cfg, remote.Options{})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// run syncs once, with everything opened before and closed after it.
func (a *account) run() (engine.Report, error) {
	a.Helper()
	o, err := a.open()
	if err != nil {
		return engine.Report{}, err
	}
	options := engine.Options{
		Account: "test", Connect: a.connect, Connections: 2,
		Local: o.Tree, Store: o.Store, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
		Now:    a.now,
		// What waits for a busy server need not wait for this one.
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if a.options != nil {
		a.options(&options)
	}
	e := engine.New(options)
	report, err := e.Sync(a.Context())
	// How connections close that were cut is of no interest.
	_ = e.Close()
	return report, errors.Join(err, o.Close())
}

// sync runs once, checks that no message got lost or doubled by it, and expects
// success.
func (a *account) sync() engine.Report {
	a.Helper()
	report, err := a.watched()
	if err != nil {
		a.Fatalf("sync: %v", err)
	}
	return report
}

// watched runs once and checks that every message is still where it was, in the
// same or another mailbox, or in the hold area, and none twice.
func (a *account) watched() (engine.Report, error) {
	a.Helper()
	before := [...]map[string]int{counts(a.local()), counts(a.remote())}
	report, err := a.run()
	held := a.held()
	for i, after := range []map[string]int{counts(a.local()), counts(a.remote())} {
		side := []string{"tree", "server"}[i]
		for token := range before[i] {
			// What one side alone had may have been deleted on the other: the tree's
			// copy is then in the hold area, the server's in Trash.
			retired := before[1-i][token] == 0 && (i == 0 && held[token] || i == 1 && a.final)
			if after[token] == 0 && !retired {
				a.Errorf("message %s is gone from the %s", token, side)
			}
		}
		for token, n := range after {
			if n > max(1, before[i][token], before[1-i][token]) {
				a.Errorf("the %s has message %s %d times", side, token, n)
			}
		}
	}
	return report, err
}

// clean syncs once and expects that there was nothing to complain about.
func (a *account) clean() {
	a.Helper()
	a.noComplaint(a.sync())
}

func (a *account) noComplaint(report engine.Report) {
	a.Helper()
	for _, p := range report.Problems {
		a.Errorf("unexpected problem: %+v", p)
	}
	for _, h := range report.Holds {
		a.Errorf("unexpected hold: %+v", h)
	}
}

// settle runs until a run changes nothing, and complains about nothing then.
func (a *account) settle() {
	a.Helper()
	var report engine.Report
	for range quietMax {
		report = a.sync()
		if report.Quiet && report.Counts == (engine.Counts{}) {
			a.noComplaint(report)
			return
		}
	}
	a.Errorf("%d runs were not enough to come to rest: %+v", quietMax, report)
}

// expect checks that both sides hold exactly this mail, as "mailbox/token:flags",
// and that another run changes nothing on either side.
func (a *account) expect(want ...string) {
	a.Helper()
	slices.Sort(want)
	if diff := gocmp.Diff(want, a.remote()); diff != "" {
		a.Errorf("on the server (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, a.local()); diff != "" {
		a.Errorf("in the tree (-want +got):\n%s", diff)
	}
	if !a.noDates {
		if diff := gocmp.Diff(a.arrived(), a.modified()); diff != "" {
			a.Errorf("the dates of the files are not those of the messages (-server +tree):\n%s", diff)
		}
	}
	changes := a.srv.Changes()
	report := a.sync()
	if n := a.srv.Changes() - changes; n > 0 || report.Counts != (engine.Counts{}) {
		a.Errorf("a run with nothing to do changed %d things on the server: %+v", n, report.Counts)
	}
	if diff := gocmp.Diff(want, a.local()); diff != "" {
		a.Errorf("in the tree after a run with nothing to do (-want +got):\n%s", diff)
	}
}

// arrived returns the dates of the server's messages by token, modified those of the
// files. Unix seconds.
func (a *account) arrived() map[string]int64 {
	dates := make(map[string]int64)
	for _, mailbox := range a.srv.Mailboxes() {
		for _, m := range a.srv.Messages(mailbox) {
			dates[tokenOf(string(m.Body))] = m.Date.Unix()
		}
	}
	return dates
}

func (a *account) modified() map[string]int64 {
	a.Helper()
	dates := make(map[string]int64)
	for path, data := range a.mail(a.root) {
		info, err := os.Stat(filepath.Join(a.root, path))
		a.must(err)
		dates[tokenOf(data)] = info.ModTime().Unix()
	}
	return dates
}

// body makes a message that is told from others by its token.
func body(token string) []byte {
	return fmt.Appendf(nil, "From: a@example.org\r\nMessage-ID: <%s@test>\r\nSubject: %[1]s\r\n\r\nText of %[1]s.\r\n", token)
}

func tokenOf(data string) string {
	_, rest, _ := strings.Cut(data, "Subject: ")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

// counts returns how often each token occurs in a list of "mailbox/token:flags".
func counts(list []string) map[string]int {
	n := make(map[string]int)
	for _, entry := range list {
		token, _, _ := strings.Cut(entry[strings.LastIndexByte(entry, '/')+1:], ":")
		n[token]++
	}
	return n
}

func letters(flags []string) string {
	var f state.Flags
	for _, name := range flags {
		f |= map[string]state.Flags{
			`\Seen`: state.Seen, `\Flagged`: state.Flagged, `\Answered`: state.Answered, `\Draft`: state.Draft,
			`\Deleted`: state.Trashed, "$Forwarded": state.Passed,
		}[name]
	}
	return f.String()
}

// remote returns the server's mail as "mailbox/token:flags", sorted.
func (a *account) remote() []string {
	list := []string{}
	for _, mailbox := range a.srv.Mailboxes() {
		for _, m := range a.srv.Messages(mailbox) {
			if a.noExpunge && slices.Contains(m.Flags, `\Deleted`) {
				continue
			}
			list = append(list, mailbox+"/"+tokenOf(string(m.Body))+":"+letters(m.Flags))
		}
	}
	slices.Sort(list)
	return list
}

// local returns the tree's mail in the same form.
func (a *account) local() []string {
	a.Helper()
	list := []string{}
	for path, data := range a.mail(a.root) {
		folder := filepath.ToSlash(filepath.Dir(filepath.Dir(path)))
		_, flags, _ := strings.Cut(filepath.Base(path), ":2,")
		list = append(list, folder+"/"+tokenOf(data)+":"+flags)
	}
	slices.Sort(list)
	return list
}

// held returns the tokens of the messages in the hold area.
func (a *account) held() map[string]bool {
	a.Helper()
	tokens := make(map[string]bool)
	for _, data := range a.mail(a.states) {
		tokens[tokenOf(data)] = true
	}
	return tokens
}

// mail returns the message files below a directory by path: those of cur/ and new/,
// and those of hold areas.
func (a *account) mail(root string) map[string]string {
	a.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		dir := filepath.Base(filepath.Dir(path))
		if err != nil || entry.IsDir() || dir != "cur" && dir != "new" && !strings.Contains(path, "/hold/") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		files[rel] = string(data)
		return err
	})
	a.must(err)
	return files
}

// both checks that both sides have at least this mail.
func (a *account) both(want ...string) {
	a.Helper()
	local, remote := a.local(), a.remote()
	for _, entry := range want {
		if !slices.Contains(local, entry) || !slices.Contains(remote, entry) {
			a.Errorf("%s is not on both sides: the tree has %q, the server %q", entry, local, remote)
		}
	}
}
