package remote

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// flagNames pairs the Maildir flags with their IMAP names. $Forwarded is a
// keyword, registered by RFC 5788; the others are system flags of RFC 9051,
// section 2.3.2.
func flagNames() [6]struct {
	flag state.Flags
	name imap.Flag
} {
	return [...]struct {
		flag state.Flags
		name imap.Flag
	}{
		{state.Draft, imap.FlagDraft},
		{state.Flagged, imap.FlagFlagged},
		{state.Passed, imap.FlagForwarded},
		{state.Answered, imap.FlagAnswered},
		{state.Seen, imap.FlagSeen},
		{state.Trashed, imap.FlagDeleted},
	}
}

// flagsFrom translates the server's flags. Other keywords, and \Recent, which
// belongs to the session and not to the message, are left out.
func flagsFrom(names []imap.Flag) state.Flags {
	var flags state.Flags
	for _, name := range names {
		flags |= flagFrom(name)
	}
	return flags
}

func flagFrom(name imap.Flag) state.Flags {
	for _, f := range flagNames() {
		if strings.EqualFold(string(f.name), string(name)) {
			return f.flag
		}
	}
	return 0
}

// flagsTo translates flags for the server.
func flagsTo(flags state.Flags) []imap.Flag {
	var names []imap.Flag
	for _, f := range flagNames() {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// permanentFrom translates PERMANENTFLAGS. `\*` lets clients make up keywords,
// so $Forwarded will be stored too. RFC 9051, section 7.1.
func permanentFrom(names []imap.Flag) state.Flags {
	flags := flagsFrom(names)
	for _, name := range names {
		if name == imap.FlagWildcard {
			flags |= state.Passed
		}
	}
	return flags
}
