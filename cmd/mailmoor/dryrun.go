package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rs/zerolog"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/state/store"
)

// dryRun plans one account and says what it found. It is exact because the plan
// is made by the code that makes it in a run, and it leaves no trace: see peek.
func (s *syncing) dryRun(ctx context.Context, c choice, log zerolog.Logger) accountReport {
	started := s.now()
	preview, err := s.preview(ctx, c, log)
	err = because(ctx, err)
	report := reportOf(c.account.Name, engine.Report{
		Account: c.account.Name, Holds: preview.Plan.Holds, Problems: preview.Problems,
		Duration: s.now().Sub(started), Quiet: preview.Plan.Empty(),
	}, err)
	report.Only, report.Plan = c.only.asked(), planOf(preview)
	if err != nil {
		s.ui.failure(c.account.Name, err)
		return report
	}
	for _, p := range report.Problems {
		s.ui.message(c.account.Name, problemText(p.Mailbox, p.Subject, p.Text), p.Hint)
	}
	if !s.json && (!s.flags.quiet || !report.InStep) {
		s.showPlan(report, preview)
	}
	return report
}

// preview plans the account as a run would.
func (s *syncing) preview(ctx context.Context, c choice, log zerolog.Logger) (preview engine.Preview, err error) {
	o, err := s.peek(ctx, c.account, log)
	if err != nil {
		return engine.Preview{}, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	options, err := s.engineOptions(c.account, c.only, log)
	if err != nil {
		return engine.Preview{}, err
	}
	shown := &untouched{StoreReader: o.store, StoreSeen: o.store, StoreMemory: o.store, StoreNotes: o.store}
	options.Local, options.Store, options.Retry = o.tree, shown, s.flags.retry
	fitting := watchPatterns(c.account, &options)
	e := engine.New(options)
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := arrive(ctx, o.store, e); err != nil {
		return engine.Preview{}, err
	}
	full := s.flags.dryRun == dryRunFull
	preview, err = e.Preview(ctx, full)
	if err == nil && len(preview.Forgotten) > 0 {
		// A run forgets these first, and sees them afresh in its next round.
		shown.forgotten = preview.Forgotten
		preview, err = e.Preview(ctx, full)
	}
	if err == nil {
		preview.Problems = append(preview.Problems, fitting.idle()...)
	}
	if missing := c.only.missing(); err == nil && len(missing) > 0 {
		err = noSuchMailbox(c.account, missing[0])
	}
	return preview, err
}

// peek opens an account, changes nothing of it, and takes no lock. A state that
// does not exist yet, and a root that a first run would make, are stood for by a
// temporary directory that goes away with the account.
func (s *syncing) peek(ctx context.Context, account config.Account, log zerolog.Logger) (*opened, error) {
	scratch, err := os.MkdirTemp("", "mailmoor-dry-run-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	o := &opened{scratch: scratch}
	if err := s.peekInto(ctx, o, account, log); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (s *syncing) peekInto(ctx context.Context, o *opened, account config.Account, log zerolog.Logger) error {
	temporary, err := store.OpenDirectory(filepath.Join(o.scratch, "state"))
	if err != nil {
		return err
	}
	dir := temporary
	if exists(s.stateDir) {
		if dir, err = store.OpenDirectory(s.stateDir); err != nil {
			return err
		}
	}
	owner, verdict, err := resolve(dir, account)
	if err != nil {
		return err
	}
	o.id, o.verdict = owner.ID, verdict
	// Not ReadOnly: a connection that may not write leaves SQLite's log behind.
	options := store.Options{Program: versionText(), Guest: true}
	if verdict != store.Known {
		dir, options.Guest = temporary, false
	}
	hold, err := dir.HoldArea(owner.ID)
	if err != nil {
		return err
	}
	tree := maildir.Options{
		Root: owner.Root, AccountID: owner.ID, Layout: layouts[account.Layout], Separator: maildir.Separator(account.InfoSeparator),
		HoldDir: hold, Log: log, Peek: true,
	}
	if verdict == store.New {
		tree.AccountID = "" // a first run marks the tree
		if !exists(tree.Root) {
			for tree.Disk = filepath.Dir(tree.Root); !exists(tree.Disk); {
				tree.Disk = filepath.Dir(tree.Disk)
			}
			tree.Root = filepath.Join(o.scratch, "root")
			if err := os.Mkdir(tree.Root, 0o700); err != nil {
				return fmt.Errorf("make a temporary directory: %w", err)
			}
		}
	}
	if o.tree, err = maildir.Open(tree); err != nil {
		return err
	}
	if options.Marked, err = o.tree.Generation(); err != nil {
		return err
	}
	o.store, err = dir.Open(ctx, owner, options)
	if state.CauseOf(err) == state.CauseDisk {
		// Where nobody can write, there is no log to leave behind.
		options.ReadOnly = true
		if s, fixedErr := dir.Open(ctx, owner, options); fixedErr == nil {
			o.store, err = s, nil
		}
	}
	return err
}

// exists reports whether something is there, or nobody can tell.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// untouched is a store that takes no changes, and does not show what a run would
// have forgotten by now.
type untouched struct {
	engine.StoreReader
	engine.StoreSeen
	engine.StoreMemory
	engine.StoreNotes
	forgotten []string
}

// errUntouched is for what a plan alone never asks for.
var errUntouched = errors.New("a dry run changes nothing")

func (u *untouched) PutTrash(context.Context, string) error                 { return errUntouched }
func (u *untouched) PutMailbox(context.Context, state.Mailbox) error        { return errUntouched }
func (u *untouched) Intend(context.Context, []state.Intent) error           { return errUntouched }
func (u *untouched) Settle(context.Context, state.Settlement) error         { return errUntouched }
func (u *untouched) PutStrayNotes(context.Context, []state.StrayNote) error { return errUntouched }
func (u *untouched) PutHolds(context.Context, []state.Hold) ([]state.Hold, error) {
	return nil, errUntouched
}

func (u *untouched) ForgetMailbox(context.Context, string) error { return errUntouched }

func (u *untouched) Mailboxes(ctx context.Context) ([]state.Mailbox, error) {
	list, err := u.StoreReader.Mailboxes(ctx)
	return slices.DeleteFunc(list, func(m state.Mailbox) bool { return slices.Contains(u.forgotten, m.Name) }), err
}

func (u *untouched) Waiting(ctx context.Context) ([]state.Record, error) {
	list, err := u.StoreReader.Waiting(ctx)
	return slices.DeleteFunc(list, func(r state.Record) bool { return slices.Contains(u.forgotten, r.Mailbox) }), err
}

func (u *untouched) Holds(ctx context.Context) ([]state.Hold, error) {
	list, err := u.StoreReader.Holds(ctx)
	return slices.DeleteFunc(list, func(h state.Hold) bool { return slices.Contains(u.forgotten, h.Mailbox) }), err
}
