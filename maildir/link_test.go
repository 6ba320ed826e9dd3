package maildir_test

import (
	"os"
	"strings"
	"testing"

	"mailmoor/state"
)

// TestLinkIsCalledOne: of a file that somebody had replaced by a link it was said that there
// are "too many levels of symbolic links".
func TestLinkIsCalledOne(t *testing.T) {
	f := newFixture(t, later)
	f.put(mail, "INBOX/cur/k:2,S")
	m := f.scan(f.inbox).New[0]
	f.ok(os.Remove(f.path("INBOX/cur/k:2,S")))
	f.ok(os.Symlink("/dev/null", f.path("INBOX/cur/k:2,S")))
	_, err := f.Open(t.Context(), f.inbox, state.LocalMessage{Key: m.Key, Stat: m.Stat, Content: m.Content})
	if err == nil || strings.Contains(err.Error(), "levels") || !strings.Contains(err.Error(), "it is a symbolic link and is not followed") {
		t.Errorf("error %v, want that it is a link", err)
	}
}
