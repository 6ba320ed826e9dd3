package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/state"
	"mailmoor/state/store"
)

// statusReport is the JSON document of status.
type statusReport struct {
	Command  string          `json:"command"`
	Accounts []accountStatus `json:"accounts"`
}

// accountStatus is what the state knows of an account.
type accountStatus struct {
	Account string `json:"account"`
	Maildir string `json:"maildir"`
	// State is the path of the account's database, "" before the first run.
	State string `json:"state"`
	// Running is who works on the account now, nil while nobody does.
	Running *processReport `json:"running,omitempty"`
	// LastRun is nil before the first run.
	LastRun   *runStatus      `json:"last_run"`
	Mailboxes []mailboxStatus `json:"mailboxes"`
	Holds     []holdReport    `json:"holds"`
	Stuck     []stuckStatus   `json:"stuck"`
	// Problems are those of the last run.
	Problems []problemReport `json:"problems"`
	// Error is why the account cannot be worked on.
	Error *errorReport `json:"error,omitempty"`
}

// runStatus is the last run. Times are Unix seconds.
type runStatus struct {
	Started int64        `json:"started"`
	Ended   int64        `json:"ended"`
	Only    []string     `json:"only,omitempty"` // as in accountReport
	Exit    int          `json:"exit"`
	InStep  bool         `json:"in_step"`
	Error   *errorReport `json:"error,omitempty"`
	// Refused is there when the server refused the last logins.
	Refused *refusedReport `json:"refused_login,omitempty"`
}

// mailboxStatus is one mailbox with its messages. Waiting messages are stuck;
// expunging ones are deleted and wait for the server to let them go.
type mailboxStatus struct {
	Mailbox   string `json:"mailbox"`
	Folder    string `json:"folder"`
	Messages  int    `json:"messages"`
	Stuck     int    `json:"stuck"`
	Expunging int    `json:"expunging"`
	// Lost by the server, and excluded: larger or older than wanted.
	Lost      int  `json:"lost,omitempty"`
	Excluded  int  `json:"excluded,omitempty"`
	Suspended bool `json:"suspended"`
	// InDoubt is true when the next run matches the records afresh.
	InDoubt bool `json:"in_doubt,omitempty"`
}

// stuckStatus is one message that could not be transferred.
type stuckStatus struct {
	Mailbox string     `json:"mailbox"`
	UID     state.UID  `json:"uid,omitempty"`
	Key     state.Key  `json:"key,omitempty"`
	Reason  state.Text `json:"reason"`
	Tries   int        `json:"tries"`
	NextAt  int64      `json:"next_at"` // Unix seconds
}

const statusLong = `Shows of every account, or of those that are named, what the last run did, the
mailboxes with their numbers of messages, and everything that waits for
somebody: holds, stuck messages and suspended mailboxes.

A process that works on an account right now is named, with the time since when.

Nothing is changed and no server is asked.
`

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "status [ACCOUNT...]",
		Short:             "Show how the accounts stand",
		Long:              statusLong + exitHelp(exitInStep, exitFailed, exitUsage),
		ValidArgsFunction: a.completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.status(cmd.Context(), args)
		},
	}
}

func (a *app) status(ctx context.Context, args []string) error {
	cfg, accounts, err := a.loadNamed(args)
	if err != nil {
		return err
	}
	report := statusReport{Command: "status"}
	code := exitInStep
	for _, account := range accounts {
		s, err := a.statusOf(ctx, cfg.StateDir, account)
		if err != nil {
			s.Error = errorOf(err)
			code = worst(code, exitOf(err))
			a.ui.failure(account.Name, err)
		}
		report.Accounts = append(report.Accounts, s)
		if !a.json {
			a.showStatus(account, s)
		}
	}
	if a.json {
		if err := a.ui.document(report); err != nil {
			return err
		}
	}
	return ending(code)
}

// statusOf reads what the state knows of an account.
func (a *app) statusOf(ctx context.Context, stateDir string, account config.Account) (r accountStatus, err error) {
	r = accountStatus{
		Account: account.Name, Maildir: account.Maildir, Mailboxes: []mailboxStatus{},
		Holds: []holdReport{}, Stuck: []stuckStatus{}, Problems: []problemReport{},
	}
	if r.Running, err = a.workingOn(stateDir, account); err != nil {
		return r, err
	}
	s, err := a.guest(ctx, stateDir, account, true)
	if err != nil || s == nil {
		return r, err
	}
	defer s.release()
	r.State = s.Path()
	last, run, err := lastRun(ctx, s.Store)
	if err != nil {
		return r, err
	}
	if run.Started != 0 {
		r.LastRun = &runStatus{Started: run.Started, Ended: run.Ended, Only: last.Only, Exit: run.Exit, InStep: last.InStep, Error: last.Error, Refused: last.Refused}
		r.Problems = append(r.Problems, last.Problems...)
	}
	holds, err := s.Holds(ctx)
	if err != nil {
		return r, err
	}
	r.Holds = holdsOf(account.Name, holds)
	if r.Stuck, err = stuckOf(ctx, s.Store); err != nil {
		return r, err
	}
	r.Mailboxes, err = mailboxesOf(ctx, s.Store, holds)
	return r, err
}

// stuckOf returns the messages that wait for another try.
func stuckOf(ctx context.Context, s *store.Store) ([]stuckStatus, error) {
	records, err := s.Waiting(ctx)
	stuck := []stuckStatus{}
	for _, r := range records {
		if r.State == state.UploadStuck || r.State == state.DownloadStuck {
			stuck = append(stuck, stuckStatus{r.Mailbox, r.UID, r.Key, r.Retry.Reason, r.Retry.Count, r.Retry.NextAt})
		}
	}
	return stuck, err
}

// mailboxesOf returns the mailboxes with their counts.
func mailboxesOf(ctx context.Context, s *store.Store, holds []state.Hold) ([]mailboxStatus, error) {
	known, err := s.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := s.Counts(ctx)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]store.Count, len(counts))
	for _, c := range counts {
		byName[c.Mailbox] = c
	}
	suspended := make(map[string]bool)
	for _, h := range holds {
		suspended[h.Mailbox] = suspended[h.Mailbox] || h.Whole
	}
	mailboxes := make([]mailboxStatus, 0, len(known))
	for _, m := range known {
		c := byName[m.Name]
		mailboxes = append(mailboxes, mailboxStatus{
			Mailbox: m.Name, Folder: m.Folder, Messages: c.Paired, Stuck: c.Stuck, Expunging: c.Expunging,
			Lost: c.Lost, Excluded: c.Excluded, Suspended: suspended[m.Name], InDoubt: m.Doubt != state.Believed,
		})
	}
	return mailboxes, nil
}

// showStatus prints an account for people.
func (a *app) showStatus(account config.Account, r accountStatus) {
	line := func(format string, args ...any) { a.ui.result(format, args...) }
	line("%s (%s at %s) in %s", r.Account, account.User, account.Host, r.Maildir)
	if r.Running != nil {
		line("  at work now: %s", r.Running.text(a.now()))
	}
	if r.LastRun == nil {
		if r.Error == nil {
			line("  has not run yet")
		}
		return
	}
	ended := time.Unix(r.LastRun.Ended, 0)
	line("  state in %s", r.State)
	line("  last run %s, %s ago: %s", ended.Format(time.DateTime), durationText(max(0, a.now().Sub(ended))), r.LastRun.text())
	if next := r.LastRun.Refused; next != nil {
		line("  the next login is tried after %s; mailmoor sync --retry tries at once", time.Unix(next.NextAt, 0).Format(time.DateTime))
	}
	total := 0
	for _, m := range r.Mailboxes {
		total += m.Messages
	}
	line("  %s in %s", count(total, "message"), count(len(r.Mailboxes), "mailbox|mailboxes"))
	for _, m := range r.Mailboxes {
		note := state.Text("")
		if m.Stuck > 0 {
			note += state.Textf(", %d stuck", m.Stuck)
		}
		if m.Expunging > 0 {
			note += state.Textf(", %d waiting for an expunge", m.Expunging)
		}
		if m.Lost > 0 {
			note += state.Textf(", %d lost by the server", m.Lost)
		}
		if m.Excluded > 0 {
			note += state.Textf(", %d left on the server as too large or too old", m.Excluded)
		}
		if m.Suspended {
			note += ", suspended"
		}
		if m.InDoubt {
			note += ", to be compared afresh"
		}
		line("  %8d  %s%s", m.Messages, m.Mailbox, note)
	}
	for _, h := range r.Holds {
		line("  %s", h.line())
	}
	for _, s := range r.Stuck {
		line("  stuck: %s, tried %s, next try %s", problemText(s.Mailbox, s.subject(), s.Reason),
			count(s.Tries, "time"), time.Unix(s.NextAt, 0).Format(time.DateTime))
	}
	for _, p := range r.Problems {
		if slices.ContainsFunc(r.Stuck, func(s stuckStatus) bool { return s.Mailbox == p.Mailbox && s.subject() == p.Subject }) {
			continue // the same, and why
		}
		line("  problem: %s", problemText(p.Mailbox, p.Subject, p.Text))
	}
}

// text says how the run ended.
func (r runStatus) text() state.Text {
	switch {
	case r.Error != nil:
		return r.Error.Text
	case r.InStep && len(r.Only) > 0:
		return state.Textf("in step as far as asked: %s", state.List(r.Only))
	case r.InStep:
		return "in step"
	}
	if exitCode(r.Exit) == exitFailed {
		return "not in step: what stands below"
	}
	for _, row := range exitTable() {
		if row.code == exitCode(r.Exit) && row.code != exitInStep {
			return row.text
		}
	}
	return "in step but for what stands below"
}

// subject names the message.
func (s stuckStatus) subject() string {
	if s.UID != 0 {
		return fmt.Sprintf("UID %d", s.UID)
	}
	return string(s.Key)
}
