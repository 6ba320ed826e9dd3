package main

import (
	"github.com/spf13/cobra"
)

// completeAccounts completes the names of accounts.
func (a *app) completeAccounts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, 0, len(cfg.Accounts))
	for _, account := range cfg.Accounts {
		names = append(names, account.Name+"\t"+account.User+" at "+account.Host)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
