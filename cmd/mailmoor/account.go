package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/state/store"
)

// lockRetry is how often an account that another process works on is tried again.
const lockRetry = 200 * time.Millisecond

// lockMode says what becomes of an account that another process works on.
type lockMode string

const (
	lockFail lockMode = "fail"
	lockWait lockMode = "wait"
	lockSkip lockMode = "skip"
)

// opened is an account that is ready for work: its state and its tree are open
// and locked.
type opened struct {
	id      string
	verdict store.Verdict
	lock    *store.Lock
	tree    *maildir.Tree
	store   *store.Store
	// said are the texts of problems that the user has been told during the run.
	said []state.Text
	// scratch is a directory that is removed in the end, "" without one.
	scratch string
}

// open makes an account ready, and waits for the process that works on it if
// the user wants to.
func (a *app) open(ctx context.Context, stateDir string, account config.Account, mode lockMode, log zerolog.Logger) (*opened, error) {
	dir, err := store.OpenDirectory(stateDir)
	if err != nil {
		return nil, err
	}
	o, err := a.openOnce(ctx, dir, account, log)
	if mode != lockFail {
		a.remindOf(account.Name, err)
	}
	for mode == lockWait && state.CauseOf(err) == state.CauseLocked && pause(ctx, lockRetry) {
		o, err = a.openOnce(ctx, dir, account, log)
	}
	return o, err
}

// openOnce makes an account ready, or fails with CauseLocked. It is the one
// place that knows the order: who the tree belongs to, the marker of a new
// account, the locks, the database. Until a new account has all of them, no
// other process may look which state is whose.
func (a *app) openOnce(ctx context.Context, dir *store.Directory, account config.Account, log zerolog.Logger) (o *opened, err error) {
	alone, err := dir.Alone(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if unlockErr := alone.Unlock(); err == nil && unlockErr != nil {
			err = errors.Join(unlockErr, o.close())
		}
	}()
	owner, verdict, err := claim(dir, account)
	if err != nil {
		return nil, err
	}
	o = &opened{id: owner.ID, verdict: verdict}
	if o.lock, err = dir.Lock(ctx, owner.ID, store.LockFail); err != nil {
		return nil, err
	}
	if verdict == store.Known {
		// Everything is there, and the database may take its time to open.
		if err := alone.Unlock(); err != nil {
			return nil, errors.Join(err, o.close())
		}
	}
	if err := a.openLocked(ctx, dir, owner, account, o, log); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// openLocked opens tree and database of a locked account.
func (a *app) openLocked(ctx context.Context, dir *store.Directory, owner store.Account, account config.Account, o *opened, log zerolog.Logger) error {
	hold, err := dir.HoldArea(owner.ID)
	if err != nil {
		return err
	}
	o.tree, err = maildir.Open(maildir.Options{
		Root: owner.Root, AccountID: owner.ID, Layout: layouts[account.Layout], Separator: maildir.Separator(account.InfoSeparator),
		HoldDir: hold, Hook: a.hook, Log: log,
	})
	if err != nil {
		return err
	}
	marked, err := o.tree.Generation()
	if err != nil {
		return err
	}
	o.store, err = dir.Open(ctx, owner, store.Options{
		Hook: a.hook, Program: versionText(), Marked: marked, Mark: o.tree.Mark,
		Warn: func(err error) { log.Warn().Err(err).Msg("the run goes on without it") },
	})
	return err
}

// pause waits and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// close ends the work on the account.
func (o *opened) close() error {
	var errs []error
	if o.store != nil {
		errs = append(errs, o.store.Close())
	}
	if o.tree != nil {
		errs = append(errs, o.tree.Close())
	}
	if o.lock != nil {
		errs = append(errs, o.lock.Unlock())
	}
	if o.scratch != "" {
		errs = append(errs, os.RemoveAll(o.scratch))
	}
	return errors.Join(errs...)
}

// claim finds out which state belongs to the account, and marks the tree of a
// new one. The caller has the state directory to itself.
func claim(dir *store.Directory, account config.Account) (store.Account, store.Verdict, error) {
	owner, verdict, err := resolve(dir, account)
	if err != nil || verdict != store.New {
		return owner, verdict, err
	}
	return owner, verdict, maildir.CreateRoot(account.Maildir, owner.ID, layouts[account.Layout])
}

// resolve finds out which state belongs to the account and changes nothing.
func resolve(dir *store.Directory, account config.Account) (store.Account, store.Verdict, error) {
	info, err := rootOf(account)
	if err != nil {
		return store.Account{}, store.Suspended, err
	}
	return dir.Resolve(identity(account), store.RootFacts{
		Exists: info.Exists, MarkerID: info.MarkerID, HasMail: !info.Empty,
	})
}

// rootOf looks at the account's root.
func rootOf(account config.Account) (maildir.RootInfo, error) {
	info, err := maildir.ReadRoot(account.Maildir)
	if err == nil && info.Foreign != "" {
		err = &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: state.Textf("use root %q", account.Maildir),
			Hint: "give each account a directory of its own", Err: errors.New(info.Foreign),
		}
	}
	return info, err
}

// identity is the account as its state knows it.
func identity(account config.Account) store.Account {
	return store.Account{Name: account.Name, Root: account.Maildir, Host: account.Host, Port: account.Port, User: account.User}
}

// engineOptions is everything about an engine that follows from the
// configuration. The caller adds the two sides and the store.
func (a *app) engineOptions(account config.Account, only *selection, log zerolog.Logger) (engine.Options, error) {
	connect, err := a.connector(account, log)
	if err != nil {
		return engine.Options{}, err
	}
	g := account.Guard
	o := engine.Options{
		Account:     account.Name,
		Connect:     connect,
		Connections: account.Connections,
		Wanted: func(name string, delimiter rune, role state.Role) bool {
			wanted := account.Mailboxes.Match(name, delimiter, role.Virtual())
			if wanted {
				only.offer(name, delimiter)
			}
			return wanted
		},
		Rename:    account.Rename,
		Roles:     rolesOf(account),
		Direction: directions[account.Direction],
		Reach:     plan.Reach{SizeMax: account.MaxSize, AgeMax: int64(account.MaxAgeDays) * 24 * 60 * 60},
		Expunge:   account.Delete == config.DeleteExpunge,
		Limits: plan.Limits{
			ReversibleCount: g.ReversibleCount, ReversiblePercent: g.ReversiblePercent,
			FinalCount: g.FinalCount, FinalPercent: g.FinalPercent,
			TrashCount: g.TrashCount,
		},
		Log: log,
	}
	if only != nil {
		o.Asked = only.has
	}
	return o, nil
}

// rolesOf are the special uses that the user gives to mailboxes.
func rolesOf(account config.Account) map[state.Role]string {
	roles := make(map[state.Role]string, len(account.Roles))
	for _, role := range []state.Role{state.RoleArchive, state.RoleDrafts, state.RoleJunk, state.RoleSent, state.RoleTrash} {
		if name, is := account.Roles[role.String()]; is {
			roles[role] = name
		}
	}
	return roles
}

// directions are the planner's words for those of the configuration.
var directions = map[config.Direction]plan.Direction{
	config.DirectionBoth: plan.Both, config.DirectionPull: plan.Pull, config.DirectionPush: plan.Push,
}

// layouts are the tree's words for those of the configuration.
var layouts = map[config.Layout]maildir.Layout{
	config.LayoutFS: maildir.LayoutFS, config.LayoutMaildirPlus: maildir.LayoutPlus,
}

// connector returns what opens connections to the account's server. The secret
// is asked for once.
func (a *app) connector(account config.Account, log zerolog.Logger) (func(context.Context) (engine.Remote, error), error) {
	roots, err := account.RootCAs()
	if err != nil {
		return nil, &state.Error{Scope: state.ScopeAccount, Cause: state.CauseConfig, Doing: "prepare the connection", Err: err}
	}
	prompt := a.prompts.prompt()
	secret := &once{ask: func(ctx context.Context) (string, error) { return account.Secret(ctx, prompt) }}
	cfg := wire.Config{
		Host: account.Host, Port: account.Port, Security: security(account.TLS),
		Roots: roots, Pins: account.Pins,
		ConnectTimeout: account.Patience / 2, ProgressTimeout: account.Patience,
		User: account.User, Secret: secret.get, Mechanism: strings.ToUpper(string(account.Auth)),
		Version: versionText(),
	}
	if log.GetLevel() <= zerolog.TraceLevel {
		cfg.Trace = func(e wire.Event) { log.Trace().Bool("sent", e.Sent).Msg(e.Line) }
	}
	return func(ctx context.Context) (engine.Remote, error) {
		c, err := remote.Dial(ctx, cfg, remote.Options{Log: log, Hook: a.hook, Named: account.Mailboxes.Names})
		if err != nil {
			return nil, likelyMistake(account, err) // not c: a nil pointer in an interface is not nil
		}
		return c, nil
	}, nil
}

func security(mode config.TLSMode) wire.Security {
	switch mode {
	case config.TLSStart:
		return wire.StartTLS
	case config.TLSNone:
		return wire.Plain
	default:
		return wire.Implicit
	}
}

// likelyMistake adds to an error of a connection that its port is the customary
// one of the other kind of TLS (RFC 8314, section 3.2). A server may well listen
// there for what is configured: only a connection that fails makes it likely.
func likelyMistake(account config.Account, err error) error {
	other := ""
	switch {
	case account.TLS == config.TLSStart && account.Port == 993:
		other = "implicit"
	case account.TLS == config.TLSImplicit && account.Port == 143:
		other = "starttls"
	}
	e, ok := errors.AsType[*state.Error](err)
	if !ok || other == "" || e.Cause != state.CauseNetwork && e.Cause != state.CauseTLS {
		return err
	}
	hinted := *e
	hinted.Hint = state.Textf("tls = %q on port %d is a likely mistake: servers expect tls = %q there", account.TLS, account.Port, other)
	return &hinted
}
