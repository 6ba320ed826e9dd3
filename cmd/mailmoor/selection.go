package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"mailmoor/config"
)

// selection narrows a run to some mailboxes of an account. The zero value and
// nil select all. It remembers which names it was asked about, so that a name
// that does not exist can be told.
type selection struct {
	names []string // with / between the levels

	mu    sync.Mutex
	found map[string]bool
}

// wants reports whether the mailbox is selected.
func (s *selection) wants(name string, delimiter rune) bool {
	if s == nil || len(s.names) == 0 {
		return true
	}
	if delimiter != 0 {
		name = strings.ReplaceAll(name, string(delimiter), "/")
	}
	i := slices.IndexFunc(s.names, func(wanted string) bool { return sameMailbox(wanted, name) })
	if i < 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		s.found = make(map[string]bool)
	}
	s.found[s.names[i]] = true
	return true
}

// sameMailbox compares names. INBOX is written in any case. RFC 9051, section 5.1.
func sameMailbox(a, b string) bool {
	return a == b || strings.EqualFold(a, b) && strings.EqualFold(a, "INBOX")
}

// missing returns the names that neither side has, or that the configuration
// leaves out.
func (s *selection) missing() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, name := range s.names {
		if !s.found[name] {
			names = append(names, name)
		}
	}
	return names
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
			return nil, &usageError{text: err.Error()}
		}
		switch {
		case !narrow:
			whole[name] = true
		case mailbox == "":
			return nil, &usageError{text: fmt.Sprintf("%q names no mailbox after the slash", arg)}
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
			choices = append(choices, choice{account, &selection{names: parts[account.Name]}})
		}
	}
	return choices, nil
}
