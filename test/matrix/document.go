package matrix

import (
	"fmt"
	"slices"
	"strings"
)

// Result is what was played on a server, and passed.
type Result struct {
	Server string
	// Mask is what was hidden, empty for the server as it is.
	Mask string
	// Life is true when the everyday life passed, Kills how often the program was
	// killed, one effect later each time, before a run came to its end.
	Life  bool
	Kills int
}

// Use is an extension that Mailmoor makes use of.
type Use struct {
	Capability string
	For        string
	Without    string // what it does where there is none
}

// Uses returns all of them, by name.
func Uses() []Use {
	return []Use{
		{"CONDSTORE", "only what changed is listed (RFC 7162)", "every mailbox is listed in every run"},
		{"ESEARCH", "short lists of UIDs (RFC 4731)", "long ones"},
		{"LIST-STATUS", "one question finds all mailboxes that changed (RFC 5819)", "a STATUS for each, 64 at a time"},
		{"LITERAL+", "uploads do not wait for the server (RFC 7888)", "one round trip more for each upload"},
		{"MOVE", "moves (RFC 6851)", "copies, a look at them, and an expunge"},
		{"NAMESPACE", "the prefix of all own mailboxes, and where those of others are (RFC 2342)", "folders have the full names of mailboxes"},
		{"SPECIAL-USE", "which mailbox is Trash, Drafts and so on (RFC 6154)", "the usual English names"},
		{"UIDPLUS", "new UIDs are told, and exactly what is meant is expunged (RFC 4315)", "uploads are looked for; removed messages stay behind, marked deleted"},
		{"UNSELECT", "the status of the mailbox that was open (RFC 3691)", "that one is opened again"},
	}
}

// Document returns docs/servers.md. day is the day of the results.
func Document(day string, results []Result) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Servers\n")
	line("<!-- Written by `make matrix MATRIXFLAGS=-update` from test/matrix. Do not edit it: a test compares the two. -->\n")
	line("Every server of IMAP4rev1 (RFC 3501) works; extensions make it faster. This page says on which ones that is tested, and how, and")
	line("what is known of each. It is written from the table and the results of `test/matrix`.\n")
	documentUses(line)
	documentResults(line, day, results)
	documentNames(line)
	for _, s := range Servers() {
		line("\n## %s\n", s.Name)
		line("Version %s of Debian. Seen on %s; a test fails when the server announces something else.\n", s.Version, s.Seen)
		line("| %s | what follows from it |\n| --- | --- |", s.Name)
		for _, q := range s.Quirks {
			line("| %s | %s |", cell(q.What), cell(q.So))
		}
	}
	return b.String()
}

func documentUses(line func(string, ...any)) {
	servers := Servers()
	head, rule := "| extension |", "| --- |"
	for _, s := range servers {
		head += " " + s.Name + " |"
		rule += " --- |"
	}
	line("## Extensions\n\n%s what for | without it |\n%s --- | --- |", head, rule)
	for _, u := range Uses() {
		row := "| " + u.Capability + " |"
		for _, s := range servers {
			row += map[bool]string{true: " yes |", false: " no |"}[slices.Contains(strings.Fields(s.Capability), u.Capability)]
		}
		line("%s %s | %s |", row, cell(u.For), cell(u.Without))
	}
}

func documentResults(line func(string, ...any), day string, results []Result) {
	line("\n## What was played\n")
	line("*Life*: first run, new mail, flags, removals, moves, an edited draft, each on both sides; both sides end equal, and a run with")
	line("nothing to do changes nothing. *Killed*: all of that at once and a new folder; the program is killed (SIGKILL) in each run, one durable")
	line("effect later than in the run before, until one comes to its end. That took so many kills; each message is there once in the end.")
	line("Played in full on %s; every change of the program is tested with all of *Life* and a share of *Killed*. Sync does not use", day)
	line("ENABLE and IDLE.\n")
	line("| server | without | life | killed |\n| --- | --- | --- | --- |")
	for _, r := range results {
		without := r.Mask
		switch without {
		case "":
			without = "-"
		case Plain().String():
			without = "all of these: plain RFC 3501 (" + without + ")"
		}
		line("| %s | %s | %s | %d |", r.Server, without, map[bool]string{true: "passed", false: "-"}[r.Life], r.Kills)
	}
}

func documentNames(line func(string, ...any)) {
	line("\n## Names of mailboxes\n")
	line("| server | own mailboxes | those of others | folder of the mailbox Lists |\n| --- | --- | --- | --- |")
	line("| Dovecot | no prefix | `shared/...`; hidden ones (`list = no`) when `mailboxes` names them, as `shared/*` | `Lists` |")
	line("| Dovecot with `prefix = INBOX.` | `INBOX.` | | `Lists` |")
	line("| Cyrus with `altnamespace: yes` | no prefix | `Other Users/...` | `Lists` |")
	line("| Cyrus with `altnamespace: no` | `INBOX.` | shared ones have no prefix | `INBOX/Lists`; a new folder `Lists` is reported |")
	line("| Courier | `INBOX.` | not tested | `Lists` |")
	line("\nPatterns in `mailboxes` and names in `rename` are those of the server, with the prefix.")
	line("A mailbox that may only be read, or in which no flag can be stored, is kept in step from the server; local changes stay local and are")
	line("reported. A mailbox of others into which messages may be put but no flag be stored (rights `lrip`) counts as such.")
}

// cell escapes what would end a cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
