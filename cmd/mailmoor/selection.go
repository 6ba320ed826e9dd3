package main

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"mailmoor/config"
	"mailmoor/state"
)

// selection narrows a run to some mailboxes of an account; nil selects all. It
// is offered every mailbox that there is, and remembers which of its names that
// has met.
type selection struct {
	names []string // with / between the levels

	mu    sync.Mutex
	found map[string]string // the mailbox's own name -> one of names
}

// offer shows a mailbox that takes part in the account's sync.
func (s *selection) offer(name string, delimiter rune) {
	if s == nil {
		return
	}
	levels := name
	if delimiter != 0 {
		levels = strings.ReplaceAll(name, string(delimiter), "/")
	}
	for _, wanted := range s.names {
		if sameMailbox(wanted, levels) {
			s.mu.Lock()
			s.found[name] = wanted
			s.mu.Unlock()
		}
	}
}

// has reports whether the mailbox is selected.
func (s *selection) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found[name] != ""
}

// sameMailbox compares names. INBOX is written in any case. RFC 9051, section 5.1.
func sameMailbox(a, b string) bool {
	return a == b || strings.EqualFold(a, b) && strings.EqualFold(a, "INBOX")
}

// asked returns the names that were selected, nil for all mailboxes.
func (s *selection) asked() []string {
	if s == nil {
		return nil
	}
	return s.names
}

// missing returns the names that neither side has, or that the configuration
// leaves out.
func (s *selection) missing() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	met := slices.Collect(maps.Values(s.found))
	return slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return slices.Contains(met, name) })
}

// choice is an account with the part of it that a run is about.
type choice struct {
	account config.Account
	only    *selection
}

// choose returns the accounts that the arguments name, in the order of the
// configuration; all of them without arguments. Of an account that is named
// both with and without a mailbox all mailboxes are meant.
func choose(cfg config.Config, args []string) ([]choice, error) {
	if len(args) == 0 {
		choices := make([]choice, 0, len(cfg.Accounts))
		for _, account := range cfg.Accounts {
			choices = append(choices, choice{account, nil})
		}
		return choices, nil
	}
	whole, parts := make(map[string]bool), make(map[string][]string)
	for _, arg := range args {
		name, mailbox, narrow := strings.Cut(arg, "/")
		if _, err := cfg.Account(name); err != nil {
			return nil, &usageError{text: state.TextOf(err)}
		}
		switch {
		case !narrow:
			whole[name] = true
		case mailbox == "":
			return nil, &usageError{text: state.Textf("%q names no mailbox after the slash", arg)}
		default:
			parts[name] = append(parts[name], mailbox)
		}
	}
	var choices []choice
	for _, account := range cfg.Accounts {
		switch {
		case whole[account.Name]:
			choices = append(choices, choice{account, nil})
		case parts[account.Name] != nil:
			choices = append(choices, choice{account, &selection{names: parts[account.Name], found: make(map[string]string)}})
		}
	}
	return choices, nil
}
