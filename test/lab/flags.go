package lab

import (
	"strings"

	"mailmoor/state"
)

// flagNames pairs the Maildir flags with what IMAP calls them.
func flagNames() []flagName {
	return []flagName{
		{state.Draft, `\Draft`},
		{state.Flagged, `\Flagged`},
		{state.Passed, "$Forwarded"},
		{state.Answered, `\Answered`},
		{state.Seen, `\Seen`},
		{state.Trashed, `\Deleted`},
	}
}

type flagName struct {
	bit  state.Flags
	name string
}

// IMAPFlags returns the IMAP flags that f stands for.
func IMAPFlags(f state.Flags) []string {
	var names []string
	for _, flag := range flagNames() {
		if f&flag.bit != 0 {
			names = append(names, flag.name)
		}
	}
	return names
}

// maildirFlag returns the flag of that IMAP name, in any case, or 0.
func maildirFlag(name string) state.Flags {
	for _, flag := range flagNames() {
		if strings.EqualFold(flag.name, name) {
			return flag.bit
		}
	}
	return 0
}
