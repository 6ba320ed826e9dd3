package cut

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

// runTimeout is far beyond what a run may need, its deadlines and repetitions
// included. A run that it ends has hung.
const runTimeout = 5 * time.Minute

// account is a stage with a bad line before its server.
type account struct {
	*scene.Stage
	line *lab.FaultProxy
	// left describes what the last run left behind, if watch is set.
	watch bool
	left  string
	// late is true while something is still to arrive at the server: nobody waits
	// for it.
	late bool
	// patience is how long not a byte may move before a run gives a connection
	// up; 0 is the default of the program.
	patience time.Duration

	mu sync.Mutex
	// open is how many connections the run has at present.
	open int
}

// newAccount plays a scene up to the point at which the program is to work. Its
// server seems not to have the capabilities in hide, and stands behind the line.
func newAccount(t *testing.T, s scene.Scene, hide []string, line bad) *account {
	t.Helper()
	s.Hide = append(s.Hide[:len(s.Hide):len(s.Hide)], hide...)
	a := &account{Stage: scene.NewStage(t, s)}
	s.Begin(a.Stage)
	var server lab.Upstream = a.Server
	if len(s.Hide) > 0 {
		server = lab.Mask(t, a.Server, s.Hide...)
	}
	a.line = line(t, server)
	return a
}

// run syncs once over the line, with a single connection at a time, so that the
// conversation is the same each time. Everything is opened before and closed
// after it, as in the program.
func (a *account) run() (report engine.Report, err error) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), runTimeout)
	defer cancel()
	h, err := home.Open(ctx, home.Account{Name: "scene", Root: a.Root, States: a.States, Host: a.Server.Host, User: a.User})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return a.sync(ctx, h.Tree, h.Store)
}

func (a *account) sync(ctx context.Context, tree engine.LocalTree, db engine.Store) (engine.Report, error) {
	e := engine.New(engine.Options{
		Account: "scene", Connect: a.connect, Connections: 1,
		Local: tree, Store: db, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
		Wait:   a.wait,
	})
	report, err := e.Sync(ctx)
	if ctx.Err() != nil {
		a.Fatalf("the run has not come to an end within %v", runTimeout)
	}
	// How connections close that were cut is of no interest.
	_ = e.Close()
	if !a.late {
		a.Quiesce()
	}
	if a.watch {
		var lookErr error
		if a.left, lookErr = a.describe(a.Context(), db); lookErr != nil {
			a.Fatalf("look at what a run left behind: %v", lookErr)
		}
	}
	return report, err
}

// connect opens a connection over the line.
func (a *account) connect(ctx context.Context) (engine.Remote, error) {
	c, err := remote.Dial(ctx, wire.Config{
		Host: a.line.Host, Port: a.line.Port, Roots: a.Server.CA, User: a.User,
		Secret:         func(context.Context) (string, error) { return a.Server.Password, nil },
		ConnectTimeout: a.patience, ProgressTimeout: a.patience,
	}, remote.Options{})
	if err != nil {
		return nil, err
	}
	a.count(1)
	return &counted{Conn: c, account: a}, nil
}

// counted is a connection that tells when it is closed.
type counted struct {
	*remote.Conn
	account *account
	closed  bool
}

// Close implements io.Closer.
func (c *counted) Close() error {
	if !c.closed {
		c.closed = true
		c.account.count(-1)
	}
	return c.Conn.Close()
}

func (a *account) count(change int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open += change
}

// wait stands for the seconds that the engine gives a server to finish what it
// was sent over a connection that broke: it waits until the server has, unless the
// server is to take longer than that.
func (a *account) wait(ctx context.Context, _ time.Duration) error {
	if a.late {
		return ctx.Err()
	}
	a.mu.Lock()
	open := a.open
	a.mu.Unlock()
	a.QuiesceTo(open)
	return ctx.Err()
}

// must ends the test when err is not nil.
func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}
