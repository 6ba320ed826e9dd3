package main

import (
	"context"
	"errors"
	"testing"

	"mailmoor/engine"
	"mailmoor/state/store"
)

// TestLoginIsNotedFirst: where an account is stands in its state from the first login on,
// before there is a record. Otherwise a first run that is killed leaves records of which
// nobody knows whose they are, and they would be believed on any other server.
func TestLoginIsNotedFirst(t *testing.T) {
	dir, err := store.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	account := store.Account{
		ID: "00112233445566778899aabbccddeeff", Name: "personal", Root: "/mail", Host: "imap.example.org", Port: 993, User: "me",
	}
	var refused error
	connect := func(at store.Account) (*store.Store, error) {
		t.Helper()
		s, err := dir.Open(t.Context(), at, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		_, err = noting(s, func(context.Context) (engine.Remote, error) { return nil, refused })(t.Context())
		return s, err
	}
	host := func() string {
		t.Helper()
		known, err := dir.Accounts()
		if err != nil || len(known) != 1 {
			t.Fatalf("accounts %+v, %v", known, err)
		}
		return known[0].Host
	}
	refused = errors.New("refused")
	if _, err := connect(account); !errors.Is(err, refused) || host() != "" {
		t.Errorf("after a login that was refused (%v) the account is at %q", err, host())
	}
	refused = nil
	if _, err := connect(account); err != nil || host() != account.Host {
		t.Errorf("after the first login (%v) the account is at %q, want %q", err, host(), account.Host)
	}
	other := account
	other.Host = "localhost"
	if s, err := connect(other); err != nil || !s.Moved() || host() != account.Host {
		t.Errorf("a login elsewhere proves nothing before the mailboxes were looked at (%v): the account is at %q", err, host())
	}
}
