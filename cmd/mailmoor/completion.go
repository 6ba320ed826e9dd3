package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mailmoor/state"
)

const completionLong = `Prints a script that completes commands, flags, accounts and holds:

  bash   mailmoor completion bash > ~/.local/share/bash-completion/completions/mailmoor
  zsh    mailmoor completion zsh > a directory of $fpath, as _mailmoor
  fish   mailmoor completion fish > ~/.config/fish/completions/mailmoor.fish
`

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a completion script for bash, zsh or fish",
		Long:      completionLong,
		Args:      arguments(cobra.ExactArgs(1)),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(a.ui.stdout, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(a.ui.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(a.ui.stdout, true)
			}
			return &usageError{text: state.Textf("there is no completion for %s", args[0]), hint: "use bash, zsh or fish"}
		},
	}
}

// completeAccounts completes the names of accounts, and after a slash those of
// the mailboxes that the account's state knows.
func (a *app) completeAccounts(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if name, _, narrow := strings.Cut(typed, "/"); narrow && cmd.Name() == "sync" {
		account, err := cfg.Account(name)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		s, err := a.guest(cmd.Context(), cfg.StateDir, account, true)
		if err != nil || s == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer s.release()
		mailboxes, err := s.Mailboxes(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, m := range mailboxes {
			names = append(names, name+"/"+state.Printable(m.Name))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	for _, account := range cfg.Accounts {
		names = append(names, account.Name+"\t"+state.Printable(account.User)+" at "+account.Host)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeHolds completes the names of holds.
func (a *app) completeHolds(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, account := range cfg.Accounts {
		for _, h := range holdsOf(account.Name, a.heldIn(cmd.Context(), cfg, account)) {
			names = append(names, h.ID+"\t"+string(state.Textf("%s: %s", h.Mailbox, h.Reason)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
