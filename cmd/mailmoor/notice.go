package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/state/store"
)

// problemsKept bounds what is kept of the problems of the last run.
const problemsKept = 200

// awayNotice stands for "the server is away", whose texts differ from try to
// try.
const awayNotice = "the network or the server is away"

// refusedNotice stands for a login that the server refuses, or that waits.
const refusedNotice = "the server refuses the login"

// notices are what the user has to be told of a run: its problems and the holds
// that nobody has decided on.
func (r accountReport) notices() []state.Problem {
	var notices []state.Problem
	for _, p := range r.Problems {
		notices = append(notices, p.notice())
	}
	for _, h := range r.Holds {
		if h.Decision == "" {
			notices = append(notices, h.notice())
		}
	}
	if r.Error != nil && r.ended == exitTemporary {
		notices = append(notices, state.Problem{Text: awayNotice})
	}
	if r.Error != nil && r.ended == exitLogin {
		notices = append(notices, state.Problem{Text: refusedNotice})
	}
	return notices
}

// notice is what the user is told of a problem.
func (p problemReport) notice() state.Problem {
	return state.Problem{Mailbox: p.Mailbox, Subject: p.Subject, Text: p.Text, Hint: p.Hint, Weight: p.weight}
}

// notice says of a hold what it is and what to do.
func (h holdReport) notice() state.Problem {
	hint := state.Textf("nothing is removed yet; mailmoor holds explains, then mailmoor approve %s or mailmoor reject %s", h.ID, h.ID)
	if h.Whole {
		hint = state.Textf("nothing is removed; %s, or bring it back with mailmoor reject %s", byHand(h.Missing), h.ID)
	}
	return state.Problem{Mailbox: h.Mailbox, Subject: "hold " + h.ID, Text: h.text(), Hint: hint}
}

// remember keeps what a run of the account did, and returns what of it the user
// has not been told lately.
func (a *app) remember(ctx context.Context, s *store.Store, r accountReport, ended error, started int64) ([]state.Problem, error) {
	// What an interrupted run has found out is worth keeping too.
	ctx = context.WithoutCancel(ctx)
	last, _, err := lastRun(ctx, s)
	if err != nil {
		return nil, err
	}
	r.Refused = a.refused(last.Refused, ended)
	if r.Error != nil {
		// A run that ended early did not look at everything: what was wrong
		// before still counts as told.
		r.inherit(last)
	}
	r.Problems = r.Problems[:min(len(r.Problems), problemsKept)]
	now := a.now().Unix()
	fresh, err := s.Notices(ctx, now, r.notices())
	if err != nil {
		return nil, err
	}
	r.weigh(fresh)
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("keep the result of the run: %w", err)
	}
	return fresh, s.PutLastRun(ctx, store.Run{Started: started, Ended: now, Exit: int(r.Exit), Summary: data})
}

// stillStuck returns the messages that wait for another try and that this run
// had no reason to speak of: in the words of the run that set them aside, so that
// they count as told.
func stillStuck(ctx context.Context, s *store.Store, told []state.Problem) ([]state.Problem, error) {
	stuck, err := stuckOf(ctx, s)
	if err != nil || len(stuck) == 0 {
		return nil, err
	}
	last, _, err := lastRun(ctx, s)
	var waiting []state.Problem
	for _, one := range stuck {
		mailbox, subject := one.Mailbox, one.subject()
		if slices.ContainsFunc(told, func(p state.Problem) bool { return p.Mailbox == mailbox && p.Subject == subject }) {
			continue
		}
		p := state.Problem{Mailbox: mailbox, Subject: subject, Text: one.Reason, Weight: state.WeightWaiting}
		for _, before := range last.Problems {
			if before.Mailbox == mailbox && before.Subject == subject {
				p.Text, p.Hint = before.Text, before.Hint
			}
		}
		waiting = append(waiting, p)
	}
	return waiting, err
}

// inherit takes over what an earlier run found and this one did not look at.
func (r *accountReport) inherit(last accountReport) {
	r.Problems = slices.Clone(r.Problems)
	for _, p := range last.Problems {
		p.weight = state.WeightWaiting // no failure of this run
		if !slices.ContainsFunc(r.Problems, func(now problemReport) bool { return now.is(p.notice()) }) {
			r.Problems = append(r.Problems, p)
		}
	}
	if len(r.Holds) == 0 {
		r.Holds = last.Holds
	}
}

// lastRun returns what was kept of the last run; both are zero when there was
// none.
func lastRun(ctx context.Context, s *store.Store) (accountReport, store.Run, error) {
	var report accountReport
	run, found, err := s.LastRun(ctx)
	if err != nil || !found {
		return report, run, err
	}
	if err := json.Unmarshal(run.Summary, &report); err != nil {
		// Another version of the program may have kept it in another form.
		return accountReport{}, run, nil //nolint:nilerr // it only serves the display
	}
	return report, run, nil
}

// problemText says where something is wrong, and what.
func problemText(mailbox, subject string, text state.Text) state.Text {
	for _, place := range []string{subject, mailbox} {
		if place != "" {
			text = state.Textf("%s: %s", place, text)
		}
	}
	return text
}

// noTrash says once that deleted messages are removed for good, because nothing tells
// which mailbox is Trash.
func (s *syncing) noTrash(ctx context.Context, account config.Account, o *opened, result engine.Report) error {
	n := result.Counts.RemovedForGood
	if n == 0 || result.Trash != "" || account.Delete == config.DeleteExpunge {
		return nil
	}
	// What an interrupted run has removed is worth saying, too.
	first, err := o.store.FirstTime(context.WithoutCancel(ctx), "no trash")
	if first {
		s.ui.message(account.Name, count(n, "message|messages")+" deleted here went from the server for good: none of its mailboxes is marked "+
			"as Trash, or named like one",
			state.Textf("copies rest in the hold area for %s; if there is a Trash, name it in the configuration: roles = { trash = \"...\" }",
				count(account.HoldDays, "day")))
	}
	return err
}
