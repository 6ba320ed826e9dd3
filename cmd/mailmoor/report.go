package main

import (
	"fmt"
	"slices"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
)

// runReport is the JSON document of a run.
type runReport struct {
	Command  string          `json:"command"`
	DryRun   bool            `json:"dry_run"`
	Exit     exitCode        `json:"exit"`
	Accounts []accountReport `json:"accounts"`
	// Error is why no account was worked on.
	Error *errorReport `json:"error,omitempty"`
}

// accountReport is what a run did with one account. It is also what is kept of
// the last run for status.
type accountReport struct {
	Account string `json:"account"`
	// Only are the mailboxes that the run was narrowed to, as the user named
	// them; all others were left alone, and nothing here is about them.
	Only      []string      `json:"only,omitempty"`
	Exit      exitCode      `json:"exit"`
	InStep    bool          `json:"in_step"`
	Skipped   bool          `json:"skipped,omitempty"`
	Mailboxes int           `json:"mailboxes"`
	Rounds    int           `json:"rounds"`
	Seconds   float64       `json:"seconds"`
	Counts    engine.Counts `json:"counts"`
	// Trash is the mailbox that deleted messages go to, "" without one.
	Trash    string          `json:"trash"`
	Holds    []holdReport    `json:"holds"`
	Problems []problemReport `json:"problems"`
	// Kept is how many changes stay on their side because of the direction.
	Kept int `json:"kept,omitempty"`
	// Refused is there when the server refused the last logins.
	Refused *refusedReport `json:"refused_login,omitempty"`
	// ended is the exit code but for problems and holds, quiet whether the last round
	// found nothing to do.
	ended exitCode
	quiet bool
	Error *errorReport `json:"error,omitempty"`
	// Plan is what a dry run found.
	Plan *planReport `json:"plan,omitempty"`
}

// holdReport is a hold as JSON shows it.
type holdReport struct {
	ID       string `json:"id"` // ACCOUNT:NUMBER, "" in a dry run that found it
	Mailbox  string `json:"mailbox"`
	Missing  string `json:"missing"` // "local" or "remote"
	Whole    bool   `json:"whole"`
	Messages int    `json:"messages"`
	// Lost is how many of the messages the server has lost: they have no UIDs.
	Lost     int        `json:"lost,omitempty"`
	UIDs     string     `json:"uids"`
	Reason   state.Text `json:"reason"`
	Decision string     `json:"decision"` // "", "approved" or "rejected"
	// goes says what becomes on the server of messages whose removal is approved.
	goes    state.Text
	Created int64 `json:"created"`
}

// problemReport is a problem as JSON shows it.
type problemReport struct {
	Scope   string     `json:"scope"`
	Mailbox string     `json:"mailbox,omitempty"`
	Subject string     `json:"subject,omitempty"`
	Text    state.Text `json:"text"`
	Hint    state.Text `json:"hint,omitempty"`
	Waiting bool       `json:"waiting"`
	// weight is how it counts in the run that met it.
	weight state.Weight
}

// errorReport is an error as JSON shows it.
type errorReport struct {
	Text state.Text `json:"text"`
	Hint state.Text `json:"hint,omitempty"`
}

func errorOf(err error) *errorReport {
	if err == nil {
		return nil
	}
	return &errorReport{Text: state.TextOf(err), Hint: hintOf(err)}
}

func holdsOf(account string, holds []state.Hold) []holdReport {
	reports := make([]holdReport, 0, len(holds))
	for _, h := range holds {
		reports = append(reports, holdReport{
			ID: holdName(account, h.ID), Mailbox: h.Mailbox, Missing: h.Missing.String(), Whole: h.Whole,
			Messages: h.UIDs.Len() + h.Lost, Lost: h.Lost, UIDs: h.UIDs.String(), Reason: h.Reason,
			Decision: decisionText(h.Decision), Created: h.Created,
		})
	}
	return reports
}

// holdName is how the user calls a hold. One that only a dry run has seen has no
// name yet.
func holdName(account string, id int64) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", account, id)
}

func decisionText(d state.Decision) string {
	switch d {
	case state.Approved:
		return "approved"
	case state.Rejected:
		return "rejected"
	default:
		return ""
	}
}

func problemsOf(problems []state.Problem) []problemReport {
	reports := make([]problemReport, 0, len(problems))
	for _, p := range problems {
		reports = append(reports, problemReport{
			Scope: p.Scope.String(), Mailbox: p.Mailbox, Subject: p.Subject,
			Text: p.Text, Hint: p.Hint, Waiting: p.Weight == state.WeightWaiting, weight: p.Weight,
		})
	}
	return reports
}

// reportOf turns what the engine says into what the user gets. err ended the
// run of the account, nil if nothing did.
func reportOf(account string, r engine.Report, err error) accountReport {
	report := accountReport{
		Account: account, Mailboxes: r.Mailboxes, Rounds: r.Rounds, Seconds: r.Duration.Seconds(),
		Counts: r.Counts, Holds: holdsOf(account, r.Holds), Problems: problemsOf(r.Problems), Error: errorOf(err),
		Kept: r.Kept, Trash: r.Trash,
	}
	report.ended, report.quiet = exitOf(err), r.Quiet
	report.conclude()
	return report
}

// conclude works out the exit code and whether both sides are in step.
func (r *accountReport) conclude() {
	r.Exit = r.ended
	waiting := false
	for _, p := range r.Problems {
		waiting = waiting || p.Waiting
		if p.fails() {
			r.Exit = worst(r.Exit, exitFailed)
		}
	}
	for _, h := range r.Holds {
		if h.Decision == "" {
			r.Exit = worst(r.Exit, exitHeld)
		}
	}
	r.InStep = r.Exit == exitInStep && r.quiet && !waiting
}

// weigh takes into account what of the problems is news. What stays as it is until
// somebody does something about it does not make each run fail.
func (r *accountReport) weigh(fresh []state.Problem) {
	for i := range r.Problems {
		if p := &r.Problems[i]; p.weight == state.WeightLasting && !slices.ContainsFunc(fresh, p.is) {
			p.Waiting = true
		}
	}
	r.conclude()
}

// is reports whether the problem is the one that n tells of.
func (p problemReport) is(n state.Problem) bool {
	return p.Mailbox == n.Mailbox && p.Subject == n.Subject && p.Text == n.Text
}

// fails reports whether the problem is a failure of the run.
func (p problemReport) fails() bool {
	return !p.Waiting && (p.weight == state.WeightFailure || p.weight == state.WeightLasting)
}

// summary says in one line what a run did.
func (r accountReport) summary() state.Text {
	if r.Skipped {
		return "skipped: another process is working on it"
	}
	text := r.standing() + "; " + changes(r.Counts)
	if r.Kept > 0 {
		text += "; " + count(r.Kept, "change stays|changes stay") + " on one side, as direction says"
	}
	if r.Mailboxes > 0 {
		text += state.Textf("; %s in %s", count(r.Mailboxes, "mailbox|mailboxes"),
			durationText(time.Duration(r.Seconds*float64(time.Second))))
	}
	return text
}

// title names what the run was about.
func (r accountReport) title() state.Text {
	if len(r.Only) == 0 {
		return state.Textf("%s", r.Account)
	}
	parts := make([]string, 0, len(r.Only))
	for _, mailbox := range r.Only {
		parts = append(parts, r.Account+"/"+mailbox)
	}
	return state.List(parts)
}

// standing says how the two sides stand.
func (r accountReport) standing() state.Text {
	open, stuck, known, failed := 0, 0, 0, 0
	for _, h := range r.Holds {
		if h.Decision == "" {
			open++
		}
	}
	for _, p := range r.Problems {
		switch {
		case p.Waiting && p.weight == state.WeightLasting:
			known++
		case p.Waiting:
			stuck++
		case p.fails():
			failed++
		}
	}
	var parts []state.Text
	switch {
	case r.Error != nil:
		parts = append(parts, "stopped early")
	case r.InStep:
		return "in step"
	case failed == 0 && open == 0 && stuck == 0 && known == 0:
		return "still changing, the next run goes on"
	case failed > 0:
		parts = append(parts, "not in step: "+count(failed, "problem"))
	default:
		parts = append(parts, "in step but for")
	}
	var rest []state.Text
	if open > 0 {
		rest = append(rest, count(open, "hold"))
	}
	if stuck > 0 {
		rest = append(rest, count(stuck, "stuck message"))
	}
	if known > 0 {
		rest = append(rest, count(known, "known problem"))
	}
	if len(rest) == 0 {
		return parts[0]
	}
	if parts[0] == "in step but for" {
		return parts[0] + " " + state.Join(rest, " and ")
	}
	return parts[0] + ", " + state.Join(rest, ", ")
}

// changes lists what was done in words.
func changes(c engine.Counts) state.Text {
	var parts []state.Text
	add := func(n int, text state.Text) {
		if n > 0 {
			parts = append(parts, state.Textf("%d %s", n, text))
		}
	}
	add(c.Downloaded, "downloaded")
	add(c.Uploaded, "uploaded")
	add(c.Paired, "paired")
	add(c.Rematched, "matched afresh")
	add(c.Lost, "lost by the server")
	if n := c.FlagsLocal + c.FlagsRemote; n > 0 {
		parts = append(parts, "flags of "+count(n, "message")+" changed")
	}
	add(c.MovedLocal, "moved locally")
	add(c.MovedRemote, "moved on the server")
	add(c.RemovedLocal, "removed locally")
	add(c.RemovedRemote-c.RemovedForGood, "removed on the server")
	add(c.RemovedForGood, "removed on the server for good")
	if c.NewFolders > 0 {
		parts = append(parts, count(c.NewFolders, "new folder"))
	}
	if c.NewMailboxes > 0 {
		parts = append(parts, count(c.NewMailboxes, "new mailbox|new mailboxes"))
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return state.Join(parts, ", ")
}
