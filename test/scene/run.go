package scene

import (
	"context"
	"errors"
	"time"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/state/store"
	"mailmoor/test/home"
)

// restMax is how many runs may be needed to come to rest.
const restMax = 5

func (s *Stage) now() time.Time { return time.Now().Add(s.ahead) }

// open does what the program does before its run.
func (s *Stage) open(ctx context.Context) (*home.Home, error) {
	return home.Open(ctx, home.Account{
		Name: accountName, Root: s.Root, States: s.States, Host: s.host, User: s.User, Now: s.now,
	})
}

// connect opens a connection through the recorder.
func (s *Stage) connect(ctx context.Context) (engine.Remote, error) {
	c, err := remote.Dial(ctx, wire.Config{
		Host: s.recorder.Host, Port: s.recorder.Port, Roots: s.Server.CA, User: s.User,
		Secret: func(context.Context) (string, error) { return s.Server.Password, nil },
	}, remote.Options{})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// TrySync runs the engine once in this process, as the program does, and returns
// what came of it. It does not wait for what a server may do late: there is none
// after [Stage.Quiesce].
func (s *Stage) TrySync() (engine.Report, error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	o, err := s.open(ctx)
	if err != nil {
		return engine.Report{}, err
	}
	e := engine.New(engine.Options{
		Account: accountName, Connect: s.connect, Connections: 4,
		Local: o.Tree, Store: o.Store, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
		Now:    s.now,
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	report, err := e.Sync(ctx)
	return report, errors.Join(err, e.Close(), o.Close())
}

// Sync is TrySync for a run that must not fail as a whole.
func (s *Stage) Sync() engine.Report {
	s.Helper()
	report, err := s.TrySync()
	if err != nil {
		s.Fatalf("sync: %v", err)
	}
	return report
}

// Rest runs until a run ends with nothing left to do, and returns its report.
func (s *Stage) Rest() engine.Report {
	s.Helper()
	var last engine.Report
	for range restMax {
		if last = s.Sync(); last.Quiet {
			return last
		}
	}
	s.Fatalf("%d runs were not enough to come to rest; the last one: %+v", restMax, last)
	return last
}

// idle checks that one more run does nothing at all: it sends no command that
// changes anything and touches no file.
func (s *Stage) idle() engine.Report {
	s.Helper()
	before := s.stamps()
	s.recorder.Reset()
	report := s.Sync()
	for _, c := range s.recorder.Changing() {
		s.Errorf("a run with nothing to do sent %q", c.Line)
	}
	s.untouched(before)
	if report.Counts != (engine.Counts{}) || report.Rounds != 1 || !report.Quiet {
		s.Errorf("a run with nothing to do took %d rounds for %+v", report.Rounds, report.Counts)
	}
	return report
}

// Decide says what becomes of all open holds, as approve and reject do.
func (s *Stage) Decide(d state.Decision) {
	s.Helper()
	s.inStore(func(ctx context.Context, db *store.Store) error {
		holds, err := db.Holds(ctx)
		if len(holds) == 0 {
			err = errors.Join(err, errors.New("there is no hold to decide on"))
		}
		for _, h := range holds {
			_, decideErr := db.Decide(ctx, h.ID, d)
			err = errors.Join(err, decideErr)
		}
		return err
	})
}

// inStore opens the store as another program does that only asks.
func (s *Stage) inStore(do func(context.Context, *store.Store) error) {
	s.Helper()
	dir, err := store.OpenDirectory(s.States)
	s.must(err)
	accounts, err := dir.Accounts()
	s.must(err)
	if len(accounts) != 1 {
		s.Fatalf("there are the accounts %+v, want one", accounts)
	}
	db, err := dir.Open(s.Context(), accounts[0], store.Options{Guest: true, Now: s.now})
	s.must(err)
	s.must(errors.Join(do(s.Context(), db), db.Close()))
}
