package main

import (
	"errors"
	"time"

	"mailmoor/config"
	"mailmoor/state"
	"mailmoor/state/store"
)

// lockOldAfter is how long another process works on an account until those who skip it
// say so. A first run may take that long and longer; nearly all others take seconds.
const lockOldAfter = time.Hour

// processReport is a process that works on an account, as JSON shows it. What is not
// known is left out.
type processReport struct {
	PID   int    `json:"pid,omitempty"`
	Host  string `json:"host,omitempty"`
	Since int64  `json:"since,omitempty"` // Unix seconds
}

// text names the process for people.
func (p processReport) text(now time.Time) state.Text {
	if p.PID == 0 {
		return "another process"
	}
	since := time.Unix(p.Since, 0)
	return state.Textf("process %d on %s, since %s (%s)", p.PID, p.Host, since.Format(time.DateTime),
		durationText(max(0, now.Sub(since))))
}

// workingOn returns the process that has the lock of the account, nil if none has.
func (a *app) workingOn(stateDir string, account config.Account) (*processReport, error) {
	if !exists(stateDir) {
		return nil, nil //nolint:nilnil // no process and no error: nobody has run yet
	}
	dir, err := store.OpenDirectory(stateDir)
	if err != nil {
		return nil, err
	}
	owner, verdict, err := resolve(dir, account)
	if err != nil || verdict == store.New {
		return nil, err
	}
	held, busy, err := dir.Holder(owner.ID)
	if err != nil || !busy {
		return nil, err
	}
	return &processReport{held.PID, held.Host, held.Started}, nil
}

// remindOf says once of a process that it has been at work on the account for long.
// Runs that are skipped for it, or wait, would do so in silence for ever.
func (a *app) remindOf(account string, err error) {
	e, found := errors.AsType[*store.HeldError](err)
	if !found || e.Holder.PID == 0 {
		return
	}
	p := processReport{e.Holder.PID, e.Holder.Host, e.Holder.Started}
	if a.now().Sub(time.Unix(p.Since, 0)) < lockOldAfter || !e.Remind() {
		return
	}
	a.ui.message(account, p.text(a.now())+" is still at work on the account",
		"if that is no large transfer, end it: what it has done is kept, and the next run goes on")
}
