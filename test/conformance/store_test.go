package conformance_test

import (
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state/store"
	"mailmoor/test/conformance"
)

func TestStore(t *testing.T) {
	conformance.Store(t, func(t *testing.T) engine.Store {
		t.Helper()
		d, err := store.OpenDirectory(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		account := store.Account{ID: strings.Repeat("0a", 16), Name: "test", Root: "/nowhere"}
		s, err := d.Open(t.Context(), account, store.Options{Program: "test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}
