package main

import (
	"context"
	"errors"
	"io/fs"

	"mailmoor/config"
	"mailmoor/state"
	"mailmoor/state/store"
)

// guestStore is a store whose every change is durable when it is made, so that
// nothing depends on how it closes.
type guestStore struct{ *store.Store }

func (s *guestStore) release() { _ = s.Close() }

// guest opens the state of an account for a command that does not work on the
// account, and needs no lock. Without a state yet the result is nil.
func (a *app) guest(ctx context.Context, stateDir string, account config.Account, readOnly bool) (*guestStore, error) {
	if !exists(stateDir) {
		return nil, nil //nolint:nilnil // no state and no error: nothing has run yet
	}
	dir, err := store.OpenDirectory(stateDir)
	if err != nil {
		return nil, err
	}
	owner, verdict, err := resolve(dir, account)
	if err != nil || verdict != store.Known {
		return nil, err
	}
	s, err := dir.Open(ctx, owner, store.Options{Guest: true, ReadOnly: readOnly, Program: versionText()})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil,nilerr // as above
	}
	if err != nil {
		return nil, err
	}
	return &guestStore{s}, nil
}

// loadNamed reads the configuration and returns with it the accounts that the
// arguments name, all without arguments.
func (a *app) loadNamed(args []string) (config.Config, []config.Account, error) {
	cfg, err := a.load()
	if err != nil || len(args) == 0 {
		return cfg, cfg.Accounts, err
	}
	var accounts []config.Account
	for _, name := range args {
		account, err := cfg.Account(name)
		if err != nil {
			return cfg, nil, &usageError{text: state.TextOf(err)}
		}
		accounts = append(accounts, account)
	}
	return cfg, accounts, nil
}
