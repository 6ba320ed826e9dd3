package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/state/store"
)

// doctorReport is the JSON document of doctor.
type doctorReport struct {
	Command string `json:"command"`
	Account string `json:"account"`
	Maildir string `json:"maildir"`
	State   string `json:"state"`
	// Copy is the path of the copy that was made of the state.
	Copy string `json:"copy"`
	// Mailboxes and Messages are what the state knew of, and has forgotten.
	Mailboxes int `json:"mailboxes"`
	Messages  int `json:"messages"`
}

const doctorLong = `Accepts the Maildir root of an account as it is.

A run refuses to work on a root whose marker, the file .mailmoor, is missing or
belongs to another tree: a disk that is not mounted must not look like deleted
mail. When the tree was emptied, moved or exchanged on purpose, this command
writes the marker anew, and creates the directory if need be. It does the same
good when folders have lost their markers.

A copy of the state is made. Then the state forgets which message is which. The
next run pairs both sides again: what is on one side only is brought to the
other, and nothing is deleted. Held files stay where they are.
`

func (a *app) doctorCommand() *cobra.Command {
	name := ""
	cmd := &cobra.Command{
		Use:               "doctor --accept-root ACCOUNT",
		Short:             "Accept a root that was emptied, moved or exchanged",
		Long:              doctorLong + exitHelp(exitInStep, exitFailed, exitUsage, exitLocked),
		Args:              arguments(cobra.NoArgs),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return &usageError{
					text: "doctor has to be told what to do", hint: "usage: mailmoor doctor --accept-root ACCOUNT",
				}
			}
			return a.doctor(cmd.Context(), name)
		},
	}
	cmd.Flags().StringVar(&name, "accept-root", "", "`ACCOUNT` whose root is accepted as it is")
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("accept-root", a.completeAccounts)
	return cmd
}

func (a *app) doctor(ctx context.Context, name string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	account, err := cfg.Account(name)
	if err != nil {
		return &usageError{text: state.TextOf(err)}
	}
	report, err := a.acceptRoot(ctx, cfg, account)
	if err != nil {
		a.ui.failure(account.Name, err)
		return ending(exitOf(err))
	}
	if a.json {
		return a.ui.document(report)
	}
	a.ui.result("%s: %s is accepted; %s in %s forgotten, %s",
		account.Name, account.Maildir, count(report.Messages, "message"), count(report.Mailboxes, "mailbox|mailboxes"),
		store.PairsAgain)
	a.ui.result("  the state before that is kept as %s", report.Copy)
	return nil
}

// acceptRoot finds out which state is the account's, lets it forget everything, and gives
// the root its marker.
func (a *app) acceptRoot(ctx context.Context, cfg config.Config, account config.Account) (report doctorReport, err error) {
	report = doctorReport{Command: "doctor", Account: account.Name, Maildir: account.Maildir}
	dir, err := store.OpenDirectory(cfg.StateDir)
	if err != nil {
		return report, err
	}
	alone, err := dir.Alone(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, alone.Unlock()) }()
	// A marker that cannot be read names nobody.
	info, err := maildir.ReadRoot(account.Maildir)
	if err != nil {
		return report, err
	}
	var others []string
	for _, other := range cfg.Accounts {
		if other.Name != account.Name {
			others = append(others, other.Name)
		}
	}
	owner, err := dir.Adopt(identity(account), info.MarkerID, others)
	if err != nil {
		return report, err
	}
	lock, err := dir.Lock(ctx, owner.ID, store.LockFail)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	s, err := dir.Open(ctx, owner, store.Options{Hook: a.hook, Program: versionText()})
	if err != nil {
		return report, err
	}
	report.State = s.Path()
	err = maildir.AdoptRoot(account.Maildir, owner.ID, layouts[account.Layout], func() (err error) {
		if report.Copy, err = s.Copy(ctx); err == nil {
			report.Mailboxes, report.Messages, err = s.Forget(ctx)
		}
		return err
	})
	return report, errors.Join(err, s.Close())
}
