package store_test

import (
	"path/filepath"
	"testing"

	"mailmoor/engine"
	"mailmoor/state/store"
	"mailmoor/test/conformance"
)

var _ engine.Store = (*store.Store)(nil)

func TestConformance(t *testing.T) {
	conformance.Store(t, func(t *testing.T) engine.Store {
		d, err := store.OpenDirectory(filepath.Join(t.TempDir(), "state"))
		if err != nil {
			t.Fatal(err)
		}
		account := store.Account{ID: "00112233445566778899aabbccddeeff", Name: "personal"}
		s, err := d.Open(t.Context(), account, store.Options{})
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
