package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// errorTextMax bounds what is shown of a text that the server sent.
const errorTextMax = 400

// verdict is what a refusal means for the work.
type verdict struct {
	cause state.Cause
	scope state.Scope
	hint  state.Text
}

// verdictOf knows the response codes that say more than "no": those of RFC 5530,
// section 3, TRYCREATE of RFC 9051, section 7.1, TOOBIG of RFC 7889, section 4,
// and THROTTLED, which Gmail sends.
func verdictOf(code string) (verdict, bool) {
	switch code {
	case "TOOBIG":
		return verdict{state.CauseTooLarge, state.ScopeMessage, "the server does not take messages of this size"}, true
	case "LIMIT":
		// RFC 5530 means any limit of the server. Cyrus says it when a mailbox has
		// too many copies of a message, others of too many requests.
		return verdict{state.CauseRefused, state.ScopeMailbox, "the server has reached a limit of its own; the next run tries again"}, true
	case "OVERQUOTA":
		return verdict{state.CauseQuota, state.ScopeMailbox, "free some space on the server, or ask for more"}, true
	case "TRYCREATE", "NONEXISTENT":
		return verdict{state.CauseGone, state.ScopeMailbox, "the mailbox does not exist on the server"}, true
	case "NOPERM", "READ-ONLY", "ACL":
		return verdict{state.CauseReadOnly, state.ScopeMailbox, "ask the mailbox's owner for the right to do this"}, true
	case "EXPUNGEISSUED":
		return verdict{state.CauseStale, state.ScopeMailbox, ""}, true
	case "UNAVAILABLE", "INUSE", "SERVERBUG", "CONTACTADMIN", "EXPIRED":
		return verdict{state.CauseNetwork, state.ScopeMailbox, "the server has a problem of its own; the next run tries again"}, true
	case "THROTTLED":
		return throttled(), true
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED":
		return verdict{state.CauseLogin, state.ScopeAccount, "the server does not accept this login any more"}, true
	}
	return verdict{}, false
}

func throttled() verdict {
	return verdict{state.CauseNetwork, state.ScopeAccount, "the server limits how much one may ask for; the next run tries again"}
}

// verdictOfText reads the free text of a refusal that came without a telling
// code. The phrases are those of servers that send no codes: Exchange Online
// ("Request is throttled. Suggested Backoff Time: 201317 milliseconds"),
// Courier, old Cyrus, UW IMAP.
func verdictOfText(text string) (verdict, bool) {
	text = strings.ToLower(text)
	contains := func(phrases ...string) bool {
		for _, p := range phrases {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case contains("throttled", "backoff time", "too many requests", "rate limit", "bandwidth limit", "too many commands"):
		return throttled(), true
	case contains("quota"):
		return verdictOf("OVERQUOTA")
	case contains("message too large", "message is too large", "maximum message size", "size limit", "too big",
		"mail size is larger", "size exceeds", "maximum size"): // Dovecot says the first

		return verdictOf("TOOBIG")
	case contains("doesn't exist", "does not exist", "no such mailbox", "unknown mailbox", "nonexistent mailbox", "mailbox not found"):
		return verdictOf("NONEXISTENT")
	case contains("read-only", "read only", "permission denied", "access denied for "):
		return verdictOf("READ-ONLY")
	}
	return verdict{}, false
}

// isRefusal reports whether the server answered the command with NO or BAD.
func isRefusal(err error) bool {
	var refusal *imap.Error
	return errors.As(err, &refusal)
}

// refusalCode returns the response code of a refusal, in capitals.
func refusalCode(err error) string {
	var refusal *imap.Error
	if !errors.As(err, &refusal) {
		return ""
	}
	return strings.ToUpper(string(refusal.Code))
}

// judge decides what a tagged NO or BAD means. Whatever it is, the server
// answered exactly this command.
func judge(refusal *imap.Error) verdict {
	code := refusalCode(refusal)
	byCode, known := verdictOf(code)
	byText, told := verdictOfText(refusal.Text)
	switch {
	case told && code == "LIMIT":
		return byText // it says which limit
	case told && byText == throttled() && (code == "OVERQUOTA" || code == "UNAVAILABLE"):
		// "[OVERQUOTA] Account exceeded command or bandwidth limits." is not about
		// room for mail. (Gmail, 2026)
		return byText
	case known:
		return byCode
	case told && (refusal.Type != imap.StatusResponseTypeBad || byText == throttled()):
		return byText
	case refusal.Type == imap.StatusResponseTypeBad:
		return verdict{state.CauseRefused, state.ScopeMailbox, "the server did not understand the command; please report this with its name and version"}
	}
	return verdict{state.CauseRefused, state.ScopeMailbox, ""}
}

// refused builds the error of a tagged NO or BAD.
func refused(doing state.Text, refusal *imap.Error) *state.Error {
	v := judge(refusal)
	return &state.Error{Scope: v.scope, Cause: v.cause, Doing: doing, Hint: v.hint, Err: answer{refusal}}
}

// answer is a refusal in the words of the server.
type answer struct{ refusal *imap.Error }

func (a answer) Unwrap() error { return a.refusal }

func (a answer) Error() string {
	text := state.Textf("the server answered %s", a.refusal.Type)
	if a.refusal.Code != "" {
		text += state.Textf(" [%s]", a.refusal.Code)
	}
	if a.refusal.Text != "" {
		text += state.Textf(" %q", trimmed(a.refusal.Text))
	}
	return string(text)
}

// fail turns err into the error of what was being done. A refusal leaves the
// connection usable unless it concerns the account; anything else means that
// nobody knows what the server did, and the connection ends here.
func (c *Conn) fail(doing state.Text, err error) error {
	var known *state.Error
	if errors.As(err, &known) {
		if known.Scope >= state.ScopeAccount {
			c.breakOff(known)
		}
		return err
	}
	var refusal *imap.Error
	if errors.As(err, &refusal) && refusal.Type != imap.StatusResponseTypeBye {
		e := refused(doing, refusal)
		if e.Scope >= state.ScopeAccount {
			c.breakOff(e)
		}
		return e
	}
	e := &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: doing,
		Err: c.lost(err), Hint: "it will be tried again with a new connection",
	}
	if errors.Is(e.Err, os.ErrDeadlineExceeded) {
		e.Hint = "it will be tried again; `patience` in the configuration gives a slow server more time"
	}
	c.breakOff(e)
	return e
}

// hinted gives a refusal that says nothing of what to do the hint.
func hinted(err error, hint state.Text) error {
	var e *state.Error
	if errors.As(err, &e) && e.Cause == state.CauseRefused && e.Hint == "" {
		e.Hint = hint
	}
	return err
}

// lost explains the end of the connection with the best that is known: what
// ended it comes to the surface of the library as something else.
func (c *Conn) lost(err error) error {
	var below *state.Error
	known := errors.As(c.stream.Err(), &below)
	said := c.takeNotes()
	switch interrupted := c.interrupted.Load(); {
	case interrupted != nil:
		return *interrupted
	case said.Bye != "":
		return fmt.Errorf("the server hung up: %q", trimmed(said.Bye))
	case known:
		return below.Err
	case strings.HasPrefix(err.Error(), "imapclient: panic"):
		// The library puts the stack behind the message.
		first, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("the server's answer could not be read: %q", trimmed(first))
	}
	return fmt.Errorf("the connection ended before the answer: %w", err)
}

// closed is the error of every call on a connection that has ended. What helps is
// what helps against the reason.
func closed(doing state.Text, reason error) error {
	e := &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: doing,
		Err: fmt.Errorf("the connection has ended: %w", reason),
	}
	var known *state.Error
	if errors.As(reason, &known) {
		e.Hint = known.Hint
	}
	return e
}

// ended is the error of a call whose context ended.
func ended(ctx context.Context, doing state.Text) error {
	return &state.Error{Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: doing, Err: context.Cause(ctx)}
}

// mailboxError is an error that stops the work on one mailbox.
func mailboxError(cause state.Cause, doing, hint state.Text, format string, args ...any) error {
	return &state.Error{
		Scope: state.ScopeMailbox, Cause: cause, Doing: doing, Hint: hint, Err: fmt.Errorf(format, args...),
	}
}

// timing is what Dovecot adds to its answers: "(0.002 + 0.000 + 0.001 secs)." It
// would make the same refusal look like a new one each time.
var timing = regexp.MustCompile(`\s*\([0-9.]+( \+ [0-9.]+)* secs\)\.?$`)

// trimmed bounds a text of the server and leaves out what differs each time.
func trimmed(text string) string {
	text = timing.ReplaceAllString(strings.TrimSpace(text), "")
	if len(text) > errorTextMax {
		text = strings.ToValidUTF8(text[:errorTextMax], "") + "..."
	}
	return text
}
