package remote

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

func TestRefusals(t *testing.T) {
	no, bad := imap.StatusResponseTypeNo, imap.StatusResponseTypeBad
	tests := []struct {
		answer imap.Error
		cause  state.Cause
		scope  state.Scope
		// upload is the cause when it answers an APPEND.
		upload      state.Cause
		uploadScope state.Scope
	}{
		{imap.Error{Type: no, Code: "TOOBIG", Text: "no"}, state.CauseTooLarge, state.ScopeMessage, state.CauseTooLarge, state.ScopeMessage},
		{imap.Error{Type: bad, Code: "TOOBIG", Text: "Message too large."}, state.CauseTooLarge, state.ScopeMessage, state.CauseTooLarge, state.ScopeMessage},
		{imap.Error{Type: no, Code: "LIMIT", Text: "Too many copies"}, state.CauseRefused, state.ScopeMailbox, state.CauseRefused, state.ScopeMessage},
		{imap.Error{Type: no, Code: "LIMIT", Text: "Message is too large"}, state.CauseTooLarge, state.ScopeMessage, state.CauseTooLarge, state.ScopeMessage},
		{imap.Error{Type: no, Code: "LIMIT", Text: "Mail size is larger than the maximum size allowed by server configuration"}, state.CauseTooLarge, state.ScopeMessage, state.CauseTooLarge, state.ScopeMessage},
		{imap.Error{Type: no, Code: "LIMIT", Text: "Rate limit hit."}, state.CauseNetwork, state.ScopeAccount, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "OVERQUOTA", Text: "Account exceeded command or bandwidth limits."}, state.CauseNetwork, state.ScopeAccount, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Text: "Message size exceeds fixed maximum message size"}, state.CauseTooLarge, state.ScopeMessage, state.CauseTooLarge, state.ScopeMessage},
		{imap.Error{Type: no, Code: "overquota", Text: "Quota exceeded"}, state.CauseQuota, state.ScopeMailbox, state.CauseQuota, state.ScopeMailbox},
		{imap.Error{Type: no, Text: "Over quota"}, state.CauseQuota, state.ScopeMailbox, state.CauseQuota, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "TRYCREATE"}, state.CauseGone, state.ScopeMailbox, state.CauseGone, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "NONEXISTENT"}, state.CauseGone, state.ScopeMailbox, state.CauseGone, state.ScopeMailbox},
		{imap.Error{Type: no, Text: "Mailbox doesn't exist: x"}, state.CauseGone, state.ScopeMailbox, state.CauseGone, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "NOPERM"}, state.CauseReadOnly, state.ScopeMailbox, state.CauseReadOnly, state.ScopeMailbox},
		{imap.Error{Type: no, Text: "Access denied for APPEND on INBOX.Work"}, state.CauseReadOnly, state.ScopeMailbox, state.CauseReadOnly, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "EXPUNGEISSUED"}, state.CauseStale, state.ScopeMailbox, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "UNAVAILABLE"}, state.CauseNetwork, state.ScopeMailbox, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "INUSE"}, state.CauseNetwork, state.ScopeMailbox, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Code: "THROTTLED"}, state.CauseNetwork, state.ScopeAccount, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: bad, Text: "Request is throttled. Suggested Backoff Time: 201317 milliseconds"}, state.CauseNetwork, state.ScopeAccount, state.CauseRefused, state.ScopeMailbox},
		{imap.Error{Type: no, Text: "I do not like it"}, state.CauseRefused, state.ScopeMailbox, state.CauseRefused, state.ScopeMessage},
		{imap.Error{Type: no, Code: "X-NEW"}, state.CauseRefused, state.ScopeMailbox, state.CauseRefused, state.ScopeMessage},
		{imap.Error{Type: bad, Text: "Error in IMAP command: quota of nonsense"}, state.CauseRefused, state.ScopeMailbox, state.CauseRefused, state.ScopeMessage},
	}
	for _, tt := range tests {
		t.Run(tt.answer.Error(), func(t *testing.T) {
			err := refused("do it", &tt.answer)
			if err.Cause != tt.cause || err.Scope != tt.scope {
				t.Errorf("cause %d, scope %s; want %d, %s", err.Cause, err.Scope, tt.cause, tt.scope)
			}
			up := refusedAppend("append it", &tt.answer)
			if up.Cause != tt.upload || up.Scope != tt.uploadScope {
				t.Errorf("upload: cause %d, scope %s; want %d, %s", up.Cause, up.Scope, tt.upload, tt.uploadScope)
			}
			if !strings.Contains(err.Error(), tt.answer.Text) {
				t.Errorf("%q does not repeat what the server said", err)
			}
			var answer *imap.Error
			if !errors.As(err, &answer) {
				t.Errorf("%q does not carry the answer", err)
			}
		})
	}
}

func TestTextsOfTheServerAreBoundedAndQuoted(t *testing.T) {
	long := imap.Error{Type: imap.StatusResponseTypeNo, Text: "\x1b[31m" + strings.Repeat("ä", 10_000)}
	text := refused("do it", &long).Error()
	if len(text) > 3*errorTextMax || strings.Contains(text, "\x1b") {
		t.Errorf("%d bytes: %.80q", len(text), text)
	}
}

// TestTimingIsLeftOut: Dovecot says how long it took, which would make the same
// refusal look like another one each time.
func TestTimingIsLeftOut(t *testing.T) {
	for text, want := range map[string]string{
		"Quota exceeded (mailbox for user is full) (0.001 + 0.000 secs).": "Quota exceeded (mailbox for user is full)",
		"No such mailbox (0.002 + 0.000 + 0.001 secs).":                   "No such mailbox",
		"Wait (5 minutes).": "Wait (5 minutes).",
	} {
		if got := trimmed(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// A call on a connection that something else has ended says what to do about that.
func TestClosedKeepsTheHint(t *testing.T) {
	c := scripted(t, "", "C: CREATE\nclose")
	var first, second *state.Error
	if err := c.Create(t.Context(), "Box"); !errors.As(err, &first) || first.Hint == "" {
		t.Fatalf("the server hung up: %v, want an error with a hint", err)
	}
	if err := c.Create(t.Context(), "Box"); !errors.As(err, &second) || second.Hint != first.Hint {
		t.Errorf("the next call: %v, want the hint %q", err, first.Hint)
	}
}
