package quirk_test

import (
	"strings"
	"testing"
	"time"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/quirk"
)

// TestLogin: what the server says to the login decides whether the user must do
// something or wait. Only the first is CauseLogin, which the program ends with exit
// code 3 for.
func TestLogin(t *testing.T) {
	for answer, want := range map[string]struct {
		cause state.Cause
		words []string
	}{
		"NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)": {state.CauseLogin, []string{"Invalid credentials", "check the account's user and password"}},
		"NO LOGIN failed.":                                                  {state.CauseLogin, []string{"LOGIN failed", "check the account's user and password"}},
		"NO [EXPIRED] Your password has expired":                            {state.CauseLogin, []string{"has expired"}},
		"NO [UNAVAILABLE] Temporary authentication failure.":                {state.CauseNetwork, []string{"Temporary authentication failure", "try again later"}},
		"NO [INUSE] Mailbox is locked by another session":                   {state.CauseNetwork, []string{"locked by another session", "try again later"}},
		"NO [LIMIT] LOGIN rate limit hit":                                   {state.CauseNetwork, []string{"rate limit hit", "try again later"}},
		"NO [SERVERBUG] Internal error":                                     {state.CauseNetwork, []string{"Internal error", "try again later"}},
		"NO [ALERT] Too many simultaneous connections. (Failure)":           {state.CauseNetwork, []string{"Too many simultaneous connections", "try again later"}},
		"NO Too many requests, try again in 30 seconds":                     {state.CauseNetwork, []string{"try again in 30 seconds", "try again later"}},
		"NO [PRIVACYREQUIRED] Plaintext authentication is not allowed here": {state.CauseConfig, []string{"tls"}},
		"NO [OVERQUOTA] Account exceeded command or bandwidth limits.":      {state.CauseNetwork, []string{"bandwidth limits", "try again later"}},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, quirk.Options{})
			a.deliver("INBOX", "a")
			a.put("INBOX", "", "b")
			a.srv.Switch(quirk.Refusing("login refused", "RFC 5530; Gmail, Dovecot, Exchange in their own words", answer, 0, "AUTHENTICATE", "LOGIN"))
			_, err := a.watched()
			a.failsWith(err, want.cause, append(want.words, "log in to")...)
			for _, c := range a.srv.Commands() {
				if strings.Contains(c, quirk.Password) {
					t.Errorf("the test itself logs the secret: %s", c)
				}
			}
			if strings.Contains(err.Error(), quirk.Password) {
				t.Errorf("the error shows the secret: %v", err)
			}
			a.srv.Switch()
			a.settle()
			a.expect("INBOX/a:", "INBOX/b:")
		})
	}
}

// TestThrottled: a server that limits how much one may ask for stops the account,
// whatever command it refuses: nobody takes this for a fault of a message, or for a
// lack of room.
func TestThrottled(t *testing.T) {
	for _, c := range []struct{ seen, command, answer, words string }{
		{"Gmail (MailKit 1396)", "LIST", "NO [THROTTLED] too fast", "list the mailboxes"},
		{"RFC 5530; Yahoo limits by rate (imapflow 75)", "SELECT", "NO [LIMIT] Rate limit hit.", "open mailbox"},
		{"no server is named", "SELECT", "NO Too many requests, try again in 30 seconds", "try again in 30 seconds"},
		{"Gmail (ljmerza/ha-email-sensor 16)", "UID FETCH", "NO [OVERQUOTA] Account exceeded command or bandwidth limits.", "bandwidth limits"},
		{"Exchange Online", "UID FETCH", "BAD Request is throttled. Suggested Backoff Time: 30000 milliseconds", "30000 milliseconds"},
		{"Gmail", "UID MOVE", "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", "bandwidth limits"},
	} {
		t.Run(c.command+": "+c.answer, func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.change()
			a.srv.Switch(quirk.Refusing("throttled", c.seen, c.answer, 0, c.command))
			_, err := a.watched()
			a.failsWith(err, state.CauseNetwork, c.words, "the server limits how much one may ask for", "the next run tries again")
			a.srv.Switch()
			a.settle()
			a.expect(changed()...)
		})
	}
}

// TestUnanswered: the server does not answer any more. The run ends after the time
// that the configuration gives, and says so.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.change()
	a.config = func(c *wire.Config) { c.ProgressTimeout = 500 * time.Millisecond }
	a.srv.Switch(quirk.SilentNoop())
	_, err := a.watched()
	a.failsWith(err, state.CauseNetwork, "not a byte moved for 500ms while an answer was due", "tried again")
	a.config = nil
	a.srv.Switch()
	a.settle()
	a.expect(changed()...)
}

// TestTwice: the same name twice in a list makes it one that cannot be relied upon.
func TestTwice(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.change()
	a.srv.Switch(quirk.Twice())
	_, err := a.watched()
	a.failsWith(err, state.CauseOther, "list the mailboxes", "twice", "nothing was done")
	a.srv.Switch()
	a.settle()
	a.expect(changed()...)
}

// TestImpatient: each connection ends after some commands. Every run gets further
// than the one before.
func TestImpatient(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.Switch(quirk.Impatient(30))
	a.patiently()
	a.change()
	a.patiently()
	a.expect(changed()...)
}

// patiently runs until a run comes to its end and finds nothing to do.
func (a *account) patiently() {
	a.Helper()
	for range 2 * quietMax {
		report, err := a.watched()
		if err == nil && report.Quiet {
			a.noComplaint(report)
			return
		}
		if err != nil {
			a.failsWith(err, state.CauseNetwork, "Session expired", "again")
		}
	}
	a.Errorf("%d runs were not enough", 2*quietMax)
}
