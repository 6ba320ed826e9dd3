package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mailmoor/config"
	"mailmoor/state"
)

// A provider locks an account after so many refused logins, and cron tries one every few
// minutes. So a run that nobody watches waits longer after each one. On a terminal, and with
// --retry, it is tried at once: somebody may just have mended the password.

// After the first refused login the next one waits for refusedFirst, then for twice as long
// each time, refusedMost at most.
const (
	refusedFirst = 15 * time.Minute
	refusedMost  = 6 * time.Hour
)

// refusedReport is what is kept of logins that the server refused, one after the other.
type refusedReport struct {
	Tries  int   `json:"tries"`
	NextAt int64 `json:"next_at"` // Unix seconds
	// Config tells one version of the configuration file from others: once it has been
	// changed, waiting helps nobody.
	Config string `json:"config"`
}

// configVersion is what tells a configuration file from its other versions.
func (a *app) configVersion() string {
	path := a.configFile
	if path == "" {
		path = config.DefaultPath()
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

// errBarred is why a run does not even ask the server.
type errBarred struct{ text state.Text }

func (e *errBarred) Error() string { return string(e.text) }

// barred returns the error of a run that must not try to log in yet, nil if it may.
func (s *syncing) barred(ctx context.Context, account config.Account, o *opened) error {
	if s.flags.retry || s.ui.interactive {
		return nil
	}
	last, _, err := lastRun(ctx, o.store)
	if err != nil || last.Refused == nil || last.Refused.Config != s.configVersion() || s.now().Unix() >= last.Refused.NextAt {
		return err
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseLogin,
		Doing: state.Textf("log in to %s:%d as %s", account.Host, account.Port, account.User),
		Err: &errBarred{state.Textf("the server refused it %s, and it is not tried again before %s, lest the account be locked",
			count(last.Refused.Tries, "time"), time.Unix(last.Refused.NextAt, 0).Format("2006-01-02 15:04"))},
		Hint: "mend user or password, then mailmoor sync --retry",
	}
}

// refused returns what is kept after a run that ended with err.
func (a *app) refused(before *refusedReport, err error) *refusedReport {
	barred := new(errBarred)
	switch {
	case err == nil:
		return nil
	case exitOf(err) != exitLogin || errors.As(err, &barred):
		return before
	}
	now := refusedReport{Tries: 1, Config: a.configVersion()}
	if before != nil {
		now.Tries += before.Tries
	}
	wait := refusedMost
	if now.Tries <= 5 {
		wait = min(wait, refusedFirst<<(now.Tries-1))
	}
	now.NextAt = a.now().Add(wait).Unix()
	return &now
}
