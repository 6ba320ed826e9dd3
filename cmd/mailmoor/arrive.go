package main

import (
	"context"

	"mailmoor/engine"
	"mailmoor/state/store"
)

// noting returns a connect that notes where the account is as soon as a login has proven
// it, before there is a record that is about it. An account that is to be found elsewhere
// than before is left to arrive.
func noting(s *store.Store, connect func(context.Context) (engine.Remote, error)) func(context.Context) (engine.Remote, error) {
	return func(ctx context.Context) (engine.Remote, error) {
		r, err := connect(ctx)
		if err != nil || s.Moved() {
			return r, err
		}
		if err := s.Arrive(ctx, true); err != nil {
			_ = r.Close()
			return nil, err
		}
		return r, nil
	}
}

// arrive finds out, before any record is used, whether an account that has another
// server or user in the configuration than at the last login is another one. Without a
// login nobody knows, and nothing changes.
func arrive(ctx context.Context, s *store.Store, e *engine.Engine) error {
	if !s.Moved() {
		return nil
	}
	same, err := e.Recognises(ctx)
	if err != nil {
		return err
	}
	return s.Arrive(ctx, same && s.SameUser())
}
