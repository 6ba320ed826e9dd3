package real

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/state/store"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// quietMax is how many runs may be needed until nothing is left to do.
const quietMax = 5

// account is a user of a server with a tree and a state on the disk.
type account struct {
	*testing.T
	srv  *lab.Server
	user string
	// addr is where the engine connects to; proxy stands there and records.
	addr  string
	proxy *lab.Proxy
	// root is the Maildir tree, states the directory of the program's state.
	root, states string
	layout       maildir.Layout
	// separator is what readers write in the names of message files, ":" if it is empty.
	// The program finds it out.
	separator maildir.Separator
	// ahead is how far the clock of the engine is ahead.
	ahead time.Duration
	// options and config may change how the engine is put together.
	options func(*engine.Options)
	config  func(*wire.Config)
	// connections is how many of them the engine has open at present.
	connections atomic.Int64
	// noExpunge is true for a server without UIDPLUS, on which removed messages
	// stay behind, marked deleted.
	noExpunge bool
}

// newServer returns a server with the mailboxes that the scenarios use. Tests share it,
// except for one with options.
func newServer(t *testing.T, opts ...lab.Option) *lab.Server {
	t.Helper()
	usual := lab.SpecialUse("Trash", "Archive", "Drafts")
	if len(opts) == 0 {
		return lab.Shared(t, usual)
	}
	return lab.Dovecot(t, append([]lab.Option{usual}, opts...)...)
}

// newAccount returns an account that nothing is in yet, on a server that looks
// as if it did not have the capabilities in hide.
func newAccount(t *testing.T, srv *lab.Server, hide ...string) *account {
	t.Helper()
	a := &account{T: t, srv: srv.On(t)}
	a.user = a.srv.NewUser().Name
	a.proxy = lab.Mask(t, a.srv, hide...)
	a.addr = a.proxy.Addr()
	base := t.TempDir()
	a.root, a.states = filepath.Join(base, "mail"), filepath.Join(base, "state")
	for _, capability := range hide {
		a.noExpunge = a.noExpunge || capability == "UIDPLUS"
	}
	return a
}

// must ends the test when err is not nil.
func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *account) now() time.Time { return time.Now().Add(a.ahead) }

func (a *account) open() (*home.Home, error) {
	return home.Open(a.Context(), home.Account{
		Root: a.root, States: a.states, Host: a.srv.Host, User: a.user, Layout: a.layout, Now: a.now,
	})
}

// connect opens a connection of the engine.
func (a *account) connect(ctx context.Context) (engine.Remote, error) {
	host, port, err := net.SplitHostPort(a.addr)
	if err != nil {
		return nil, err
	}
	cfg := wire.Config{
		Host: host, Roots: a.srv.CA, User: a.user,
		Secret: func(context.Context) (string, error) { return a.srv.Password, nil },
	}
	if cfg.Port, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	if a.config != nil {
		a.config(&cfg)
	}
	c, err := remote.Dial(ctx, cfg, remote.Options{})
	if err != nil {
		return nil, err
	}
	a.connections.Add(1)
	return &counted{Conn: c, done: sync.OnceFunc(func() { a.connections.Add(-1) })}, nil
}

// counted is a connection that tells when it is closed.
type counted struct {
	*remote.Conn
	done func()
}

// Close implements io.Closer.
func (c *counted) Close() error {
	c.done()
	return c.Conn.Close()
}

// finish waits until the server has finished what it was sent over connections that
// are closed by now, or broke.
func (a *account) finish() {
	a.Helper()
	a.srv.AwaitSessionsOf(a.user, func() int { return int(a.connections.Load()) })
}

// run syncs once, with everything opened before and closed after it. It never
// ends the test, so that it may run beside it.
func (a *account) run() (engine.Report, error) {
	a.Helper()
	o, err := a.open()
	if err != nil {
		return engine.Report{}, err
	}
	options := engine.Options{
		Account: "test", Connect: a.connect, Connections: 3,
		Local: o.Tree, Store: o.Store, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
		Now:    a.now,
		// These seconds are for the server to finish what it was sent.
		Wait: func(ctx context.Context, _ time.Duration) error { a.finish(); return ctx.Err() },
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

// sync runs once and expects success.
func (a *account) sync() engine.Report {
	a.Helper()
	report, err := a.run()
	if err != nil {
		a.Fatalf("sync: %v", err)
	}
	return report
}

// clean syncs once and expects that there was nothing to complain about.
func (a *account) clean() engine.Report {
	a.Helper()
	report := a.sync()
	a.noComplaint(report)
	return report
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
	for range quietMax {
		report := a.sync()
		if report.Quiet && report.Counts == (engine.Counts{}) {
			a.noComplaint(report)
			return
		}
	}
	a.Errorf("%d runs were not enough to come to rest", quietMax)
}

// idle checks that a run changes nothing on either side.
func (a *account) idle() {
	a.Helper()
	before := a.snapshot()
	a.proxy.Reset()
	report := a.sync()
	for _, c := range a.proxy.Changing() {
		a.Errorf("a run with nothing to do sent %q", c.Line)
	}
	a.unchanged(before)
	if report.Counts != (engine.Counts{}) || report.Rounds != 1 {
		a.Errorf("a run with nothing to do took %d rounds for %+v", report.Rounds, report.Counts)
	}
}

// decide says what becomes of a hold, as `approve` and `reject` do.
func (a *account) decide(h state.Hold, d state.Decision) {
	a.Helper()
	dir, err := store.OpenDirectory(a.states)
	a.must(err)
	accounts, err := dir.Accounts()
	a.must(err)
	s, err := dir.Open(a.Context(), accounts[0], store.Options{Guest: true, Now: a.now})
	a.must(err)
	_, err = s.Decide(a.Context(), h.ID, d)
	a.must(errors.Join(err, s.Close()))
}

// later makes the clock of the engine go on by d.
func (a *account) later(d time.Duration) { a.ahead += d }
