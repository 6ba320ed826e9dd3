package main

import (
	"strings"
	"sync"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/state"
)

// patterns notes which patterns of an account's mailboxes fit some mailbox.
type patterns struct {
	account config.Account

	mu       sync.Mutex
	met      map[string]bool
	selected bool
}

// watchPatterns lets the engine's options tell which patterns fit.
func watchPatterns(account config.Account, options *engine.Options) *patterns {
	p := &patterns{account: account, met: make(map[string]bool)}
	wanted := options.Wanted
	options.Wanted = func(name string, delimiter rune, role state.Role) bool {
		is := wanted(name, delimiter, role)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.selected = p.selected || is
		for _, text := range account.Mailboxes.Fitting(name, delimiter) {
			p.met[text] = true
		}
		return is
	}
	return p
}

// idle reports what selects nothing: it is most likely misspelt. An account of which
// nothing is selected is reported again and again, for it is not kept in step at all.
func (p *patterns) idle() []state.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	var problems []state.Problem
	for _, text := range p.account.Mailboxes.Patterns() {
		if strings.HasPrefix(text, "!") || p.met[text] {
			continue
		}
		weight := state.WeightRemark
		if !p.selected {
			weight = state.WeightLasting
		}
		problems = append(problems, state.Problem{
			Scope: state.ScopeAccount, Cause: state.CauseConfig, Weight: weight,
			Text: state.Textf("no mailbox fits %q of mailboxes in the configuration", text),
			Hint: `names are written as on the server, with / between levels; mailboxes = ["*"] takes all of them`,
		})
	}
	return problems
}
