package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/state"
	"mailmoor/state/store"
)

const approveLong = `Approves a hold: what is missing on one side is removed on the other in the next
run. ID is ACCOUNT:NUMBER as mailmoor holds prints it, or the number alone where
only one account has it. A run that is under way is not waited for.

A whole mailbox is never removed, so that a hold of one cannot be approved: what
is left of it is removed by hand, and forgotten when it is gone from both sides.
`

const rejectLong = `Rejects a hold: what is missing on one side comes back from the other in the
next run. ID is ACCOUNT:NUMBER as mailmoor holds prints it, or the number alone
where only one account has it. A run that is under way is not waited for.
`

func (a *app) approveCommand() *cobra.Command {
	return a.decideCommand("Let held removals happen", approveLong, state.Approved)
}

func (a *app) rejectCommand() *cobra.Command {
	return a.decideCommand("Bring back what held removals are about", rejectLong, state.Rejected)
}

func (a *app) decideCommand(short, long string, d state.Decision) *cobra.Command {
	now := false
	cmd := &cobra.Command{
		Use:               decisionVerb(d) + " ID",
		Short:             short,
		Long:              long + "\nWith --now a run of the account follows, with its exit code.\n" + exitHelp(allExits()...),
		Args:              oneHold,
		ValidArgsFunction: a.completeHolds,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.decide(cmd.Context(), args[0], d, now)
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "run the account at once")
	return cmd
}

// oneHold demands the ID of one hold: each is a decision of its own.
func oneHold(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &usageError{
		text: state.Textf("%s takes the ID of one hold", cmd.Name()),
		hint: state.Textf("mailmoor holds lists them; then for example: %s personal:1", cmd.CommandPath()),
	}
}

// decide records the decision.
func (a *app) decide(ctx context.Context, name string, d state.Decision, now bool) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	account, id, err := a.findHold(ctx, cfg, name)
	if err != nil {
		return err
	}
	h, err := a.record(ctx, cfg, account, id, d)
	if err != nil {
		a.ui.failure(account.Name, err)
		return ending(exitOf(err))
	}
	what, reject := h.outcomes()
	if d == state.Rejected {
		what = reject
	}
	switch {
	case a.json && !now:
		return a.ui.document(holdsReport{Command: decisionVerb(d), Holds: []holdReport{h}})
	case !a.json:
		a.ui.result("%s %s: %s: %s", h.Decision, h.ID, h.Mailbox, what)
	}
	if now {
		return a.sync(ctx, []string{account.Name}, syncFlags{ifLocked: string(lockFail)})
	}
	return nil
}

// decisionVerb is the command that makes the decision.
func decisionVerb(d state.Decision) string {
	if d == state.Approved {
		return "approve"
	}
	return "reject"
}

// record writes the decision into the account's state, where a run that is
// under way may find it too.
func (a *app) record(ctx context.Context, cfg config.Config, account config.Account, id int64, d state.Decision) (h holdReport, err error) {
	s, err := a.guest(ctx, cfg.StateDir, account, false)
	if err != nil {
		return h, err
	}
	if s == nil {
		return h, &usageError{text: "the account has not run yet, so that nothing is held"}
	}
	defer s.release()
	if d == state.Approved {
		if err := refuseWhole(ctx, s.Store, id); err != nil {
			return h, err
		}
	}
	hold, err := s.Decide(ctx, id, d)
	if err != nil {
		return h, err
	}
	h = holdsOf(account.Name, []state.Hold{hold})[0]
	trash, err := s.Trash(ctx)
	h.goes = goesTo(account, h.Mailbox, trash)
	return h, err
}

// refuseWhole keeps an approval from being taken that no run would act upon: no
// run ever removes a whole mailbox.
func refuseWhole(ctx context.Context, s *store.Store, id int64) error {
	holds, err := s.Holds(ctx)
	for _, h := range holds {
		if h.ID != id || !h.Whole {
			continue
		}
		return &usageError{
			text: state.Textf("the whole mailbox %q is never removed, so that this hold cannot be approved", h.Mailbox),
			hint: byHand(h.Missing.String()) + ", or bring the other side back with mailmoor reject",
		}
	}
	return err
}

// findHold returns the account and the number that the user means.
func (a *app) findHold(ctx context.Context, cfg config.Config, name string) (config.Account, int64, error) {
	accountName, number, full := strings.Cut(name, ":")
	if !full {
		number = name
	}
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return config.Account{}, 0, &usageError{
			text: state.Textf("%q does not name a hold", name), hint: "mailmoor holds lists them; write ACCOUNT:NUMBER",
		}
	}
	if full {
		account, err := cfg.Account(accountName)
		if err != nil {
			return account, 0, &usageError{text: state.TextOf(err)}
		}
		return account, id, nil
	}
	var found []config.Account
	var names []string
	for _, account := range cfg.Accounts {
		for _, h := range a.heldIn(ctx, cfg, account) {
			if h.ID == id {
				found = append(found, account)
				names = append(names, holdName(account.Name, id))
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], id, nil
	case 0:
		return config.Account{}, 0, &usageError{
			text: state.Textf("there is no hold %d", id), hint: "mailmoor holds lists those that there are",
		}
	}
	return config.Account{}, 0, &usageError{
		text: state.Textf("hold %d exists in more than one account", id), hint: state.Textf("write %s", either(names)),
	}
}

// heldIn returns the holds of an account as far as they can be read.
func (a *app) heldIn(ctx context.Context, cfg config.Config, account config.Account) []state.Hold {
	s, err := a.guest(ctx, cfg.StateDir, account, true)
	if err != nil || s == nil {
		return nil
	}
	defer s.release()
	holds, err := s.Holds(ctx)
	if err != nil {
		return nil
	}
	return holds
}
