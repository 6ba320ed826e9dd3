package state

import (
	"errors"
)

// Scope is how much of the work an error stops.
type Scope uint8

// The scopes, from the narrowest to the widest.
const (
	ScopeMessage Scope = iota // this message; its neighbours go on
	ScopeMailbox              // this mailbox; the others go on
	ScopeAccount              // this account, or this connection of it
	ScopeProcess              // the whole run
)

// String returns the scope's name.
func (s Scope) String() string {
	return [...]string{"message", "mailbox", "account", "process"}[s]
}

// Cause says what kind of thing went wrong, as far as it decides what to do
// next: retry at once, retry later, look again, or ask the user.
type Cause uint8

// The causes.
const (
	CauseOther      Cause = iota
	CauseConfig           // the configuration cannot be used
	CauseNetwork          // the network or the server is away; later it may not be
	CauseLogin            // the server refused the credentials
	CauseTLS              // the certificate or the TLS session cannot be trusted
	CauseLocked           // another process works on this account
	CauseRefused          // the server answered NO or BAD to exactly this command: nothing happened
	CauseTooLarge         // refused because of the message's size
	CauseQuota            // refused because the user's quota is used up
	CauseReadOnly         // the mailbox can be read but not changed
	CauseUnknown          // the answer was lost: the effect happened or did not
	CauseStale            // not what the plan saw any more: the next cycle looks again
	CauseGone             // the message or mailbox does not exist (any more)
	CauseGeneration       // UIDVALIDITY is not the expected one
	CauseDisk             // the local file system refused: full, read-only, I/O error
)

// Error is an error that says how far it reaches and what the user can do.
type Error struct {
	Scope Scope
	Cause Cause
	// Doing is the verb and the object: `append 1763.a4 to "INBOX"`.
	Doing Text
	// Hint is what the user can do about it, or empty.
	Hint Text
	Err  error
}

// Error returns "doing: reason". The hint is shown apart.
func (e *Error) Error() string { return string(e.text()) }

func (e *Error) text() Text {
	if e.Err == nil {
		return e.Doing
	}
	return Textf("%s: %s", e.Doing, e.Err)
}

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// CauseOf returns the cause of err, CauseOther when it carries none.
func CauseOf(err error) Cause {
	var e *Error
	if errors.As(err, &e) {
		return e.Cause
	}
	return CauseOther
}

// ScopeOf returns the scope of err. An error that does not say stops the
// account: guessing narrower could let work go on that must not.
func ScopeOf(err error) Scope {
	var e *Error
	if errors.As(err, &e) {
		return e.Scope
	}
	return ScopeAccount
}

// Problem is something that the user must hear about and that did not stop
// the run: a message that could not be read, a mailbox left out.
type Problem struct {
	Scope   Scope
	Cause   Cause
	Mailbox string // empty for an account's problem
	// Subject is the message or thing that it is about, for a human to find:
	// a path, a UID. Together with Mailbox and Text it identifies the problem.
	Subject string
	Text    Text
	Hint    Text
	Weight  Weight
}

// Weight says how a problem counts.
type Weight uint8

// The weights.
const (
	// WeightFailure: this run failed in something.
	WeightFailure Weight = iota
	// WeightLasting: it stays until somebody does something about it, and stops nothing
	// else. It counts as a failure when it is first seen, and once a day.
	WeightLasting
	// WeightWaiting: it was reported before, and waits. It does not count as a failure.
	WeightWaiting
	// WeightRemark: nothing failed. It is said once.
	WeightRemark
)

// ProblemOf turns err into a problem of the mailbox.
func ProblemOf(mailbox, subject string, err error) Problem {
	p := Problem{Scope: ScopeOf(err), Cause: CauseOf(err), Mailbox: mailbox, Subject: subject, Text: TextOf(err)}
	var e *Error
	if errors.As(err, &e) {
		p.Hint = e.Hint
	}
	return p
}
