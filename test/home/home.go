// Package home opens the tree and the state of an account inside a test, in the order
// of the program. It does not count generations in the root's marker: tests put one
// side back on purpose, and compare trees to the last byte.
package home

import (
	"context"
	"errors"
	"time"

	"mailmoor/maildir"
	"mailmoor/state/store"
)

// Account says whose mail lies where. Root, States, Host and User are needed.
type Account struct {
	// Name is "test" if it is empty.
	Name string
	// Root is the account's tree, and States the directory of all states. What is
	// missing of them is made.
	Root, States string
	// Host and User are the account on the server.
	Host, User string
	Layout     maildir.Layout
	Separator  maildir.Separator
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Home is an account that one run works with.
type Home struct {
	Tree  *maildir.Tree
	Store *store.Store
	lock  *store.Lock
}

// Open opens the account, and makes it if this is the first time. Close ends that.
func Open(ctx context.Context, a Account) (*Home, error) {
	if a.Name == "" {
		a.Name = "test"
	}
	dir, err := store.OpenDirectory(a.States)
	if err != nil {
		return nil, err
	}
	info, err := maildir.ReadRoot(a.Root)
	if err != nil {
		return nil, err
	}
	owner, verdict, err := dir.Resolve(
		store.Account{Name: a.Name, Root: a.Root, Host: a.Host, User: a.User},
		store.RootFacts{Exists: info.Exists, MarkerID: info.MarkerID, HasMail: !info.Empty},
	)
	if err != nil {
		return nil, err
	}
	if verdict == store.New {
		if err := maildir.CreateRoot(a.Root, owner.ID, a.Layout); err != nil {
			return nil, err
		}
	}
	h := &Home{}
	if h.lock, err = dir.Lock(ctx, owner.ID, store.LockFail); err != nil {
		return nil, err
	}
	if err := h.open(ctx, dir, owner, a); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// open opens what the lock protects.
func (h *Home) open(ctx context.Context, dir *store.Directory, owner store.Account, a Account) error {
	hold, err := dir.HoldArea(owner.ID)
	if err != nil {
		return err
	}
	h.Tree, err = maildir.Open(maildir.Options{Root: a.Root, AccountID: owner.ID, Layout: a.Layout, Separator: a.Separator, HoldDir: hold, Now: a.Now})
	if err != nil {
		return err
	}
	h.Store, err = dir.Open(ctx, owner, store.Options{Now: a.Now})
	return err
}

// Close closes what is open.
func (h *Home) Close() error {
	var errs []error
	if h.Store != nil {
		errs = append(errs, h.Store.Close())
	}
	if h.Tree != nil {
		errs = append(errs, h.Tree.Close())
	}
	return errors.Join(append(errs, h.lock.Unlock())...)
}
