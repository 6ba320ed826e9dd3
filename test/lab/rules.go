package lab

import (
	"maps"
	"regexp"
	"slices"
)

// rule says what a server lacks that lacks a capability.
type rule struct {
	// names are the words removed from every announcement: the capability and
	// those that cannot be there without it.
	names []string
	// commands are answered BAD.
	commands []string
	// arguments are answered BAD: per command a pattern that is looked for
	// outside of quoted strings and literals.
	arguments map[string]*regexp.Regexp
	// codes are removed from tagged answers; an untagged OK that carries one
	// is dropped.
	codes []string
	// answers are the untagged responses that are dropped.
	answers []string
	// items are removed from untagged responses of the type.
	items map[string]*regexp.Regexp
}

// rules is the table of everything that [Mask] can hide.
func rules() map[string]rule {
	one := func(capability string, commands ...string) rule {
		return rule{names: []string{capability}, commands: commands}
	}
	return map[string]rule{
		"ACL":         one("ACL", "SETACL", "DELETEACL", "GETACL", "LISTRIGHTS", "MYRIGHTS"),
		"CONDSTORE":   condstore(),
		"ENABLE":      {names: []string{"ENABLE", "QRESYNC", "UTF8=ACCEPT"}, commands: []string{"ENABLE"}},
		"ESEARCH":     esearch(),
		"ID":          one("ID", "ID"),
		"IDLE":        one("IDLE", "IDLE"),
		"LITERAL+":    {names: []string{"LITERAL+", "LITERAL-"}}, // see hiding.refuses
		"MOVE":        one("MOVE", "MOVE", "UID MOVE"),
		"NAMESPACE":   one("NAMESPACE", "NAMESPACE"),
		"NOTIFY":      one("NOTIFY", "NOTIFY"),
		"QUOTA":       one("QUOTA", "GETQUOTA", "GETQUOTAROOT", "SETQUOTA"),
		"UNSELECT":    one("UNSELECT", "UNSELECT"),
		"OBJECTID":    objectID(),
		"QRESYNC":     qresync(),
		"SASL-IR":     onArgument("SASL-IR", "AUTHENTICATE", `^\S+ \S`),
		"STATUS=SIZE": onArgument("STATUS=SIZE", "STATUS", `[( ]SIZE[ )]`),
		"LIST-STATUS": onArgument("LIST-STATUS", "LIST", `RETURN \(.*STATUS`),
		"LIST-EXTENDED": {
			names:     []string{"LIST-EXTENDED", "LIST-STATUS"},
			arguments: map[string]*regexp.Regexp{"LIST": pattern(`^\(|RETURN \(`)},
		},
		"SPECIAL-USE": {
			names:     []string{"SPECIAL-USE", "CREATE-SPECIAL-USE"},
			arguments: map[string]*regexp.Regexp{"LIST": pattern(`SPECIAL-USE`), "CREATE": pattern(`\(USE`)},
			items: map[string]*regexp.Regexp{
				"LIST": item(`\\(All|Archive|Drafts|Flagged|Important|Junk|Sent|Trash)\b`),
			},
		},
		"UIDPLUS": {
			names:    []string{"UIDPLUS"},
			commands: []string{"UID EXPUNGE"},
			codes:    []string{"APPENDUID", "COPYUID", "UIDNOTSTICKY"},
		},
	}
}

// condstore hides RFC 7162 whole, because QRESYNC includes CONDSTORE.
func condstore() rule {
	open, fetch := pattern(`\((CONDSTORE|QRESYNC)`), pattern(`\bMODSEQ\b|\(CHANGEDSINCE|VANISHED`)
	store, search := pattern(`\(UNCHANGEDSINCE`), pattern(`\bMODSEQ\b`)
	return rule{
		names: []string{"CONDSTORE", "QRESYNC"},
		arguments: map[string]*regexp.Regexp{
			"SELECT": open, "EXAMINE": open,
			"FETCH": fetch, "UID FETCH": fetch,
			"STORE": store, "UID STORE": store,
			"SEARCH": search, "UID SEARCH": search,
			"STATUS": pattern(`HIGHESTMODSEQ`), "LIST": pattern(`HIGHESTMODSEQ`),
		},
		codes:   []string{"HIGHESTMODSEQ", "NOMODSEQ", "MODIFIED", "CLOSED"},
		answers: []string{"VANISHED"},
		items: map[string]*regexp.Regexp{
			"FETCH":   item(`\bMODSEQ \(\d+\)`),
			"STATUS":  item(`\bHIGHESTMODSEQ \d+`),
			"SEARCH":  item(`\(MODSEQ \d+\)`),
			"ESEARCH": item(`\bMODSEQ \d+`),
		},
	}
}

// qresync hides RFC 7162, section 3.2, and leaves CONDSTORE.
func qresync() rule {
	open := pattern(`\(.*QRESYNC`)
	return rule{
		names: []string{"QRESYNC"},
		arguments: map[string]*regexp.Regexp{
			"SELECT": open, "EXAMINE": open, "UID FETCH": pattern(`VANISHED`),
		},
		codes:   []string{"CLOSED"},
		answers: []string{"VANISHED"},
	}
}

// esearch hides RFC 4731 and what builds on it.
func esearch() rule {
	returns := pattern(`^RETURN \(`)
	return rule{
		names: []string{"ESEARCH", "SEARCHRES", "CONTEXT=SEARCH", "ESORT", "PARTIAL"},
		arguments: map[string]*regexp.Regexp{
			"SEARCH": returns, "UID SEARCH": returns, "SORT": returns, "UID SORT": returns,
		},
		answers: []string{"ESEARCH"},
	}
}

// objectID hides RFC 8474.
func objectID() rule {
	ids := pattern(`\b(EMAILID|THREADID)\b`)
	return rule{
		names: []string{"OBJECTID"},
		arguments: map[string]*regexp.Regexp{
			"FETCH": ids, "UID FETCH": ids, "SEARCH": ids, "UID SEARCH": ids,
			"STATUS": pattern(`MAILBOXID`), "LIST": pattern(`MAILBOXID`),
		},
		codes: []string{"MAILBOXID"},
	}
}

func onArgument(capability, command, argument string) rule {
	return rule{
		names:     []string{capability},
		arguments: map[string]*regexp.Regexp{command: pattern(argument)},
	}
}

func pattern(expr string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + expr) }

// item matches an element of a list together with one of the spaces around it.
func item(expr string) *regexp.Regexp { return pattern(`(` + expr + `) |( ?` + expr + `)`) }

// Maskable returns the names that [Mask] can hide, sorted.
func Maskable() []string { return slices.Sorted(maps.Keys(rules())) }
