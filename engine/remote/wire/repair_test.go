package wire

import (
	"strings"
	"testing"
)

// repairWhole repairs a response that comes in one part, as the pump does.
func repairWhole(text string) (repaired, note string) {
	list := func(announced string) string { return visible(announced, nil) }
	if st, is := parseStatus(text); is {
		note = st.repair(list)
		return st.String(), note
	}
	if isFetch(text) {
		var f fetchRepair
		repaired, err := f.part(text, false)
		if err != nil {
			return "", err.Error()
		}
		return repaired, strings.Join(f.lost, " ")
	}
	return repairData(text, list)
}

// repairCase is a response and what go-imap may see of it.
type repairCase struct{ name, in, want string }

func checkRepairs(t *testing.T, tests []repairCase) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, note := repairWhole(test.in)
			if got != test.want {
				t.Errorf("repaired\n%q to\n%q, want\n%q (note %q)", test.in, got, test.want, note)
			}
			if again, _ := repairWhole(got); got != "" && again != got {
				t.Errorf("repairing %q again gives %q", got, again)
			}
		})
	}
}

func TestRepairStatus(t *testing.T) {
	checkRepairs(t, []repairCase{
		// What needs no repair stays as it is.
		{"status", "T1 OK [APPENDUID 7 8] done", "T1 OK [APPENDUID 7 8] done"},
		{"status without text", "* OK", "* OK"},
		{"fetch", `* 1 FETCH (UID 1 FLAGS (\Seen $Junk) MODSEQ (12))`, `* 1 FETCH (UID 1 FLAGS (\Seen $Junk) MODSEQ (12))`},
		{"body is NIL", "* 1 FETCH (UID 1 BODY[] NIL)", "* 1 FETCH (UID 1 BODY[] NIL)"},
		{"list", `* LIST (\HasNoChildren) "/" "Entw&APw-rfe"`, `* LIST (\HasNoChildren) "/" "Entw&APw-rfe"`},
		{"esearch", `* ESEARCH (TAG "T9") UID COUNT 2 ALL 1:3,7`, `* ESEARCH (TAG "T9") UID COUNT 2 ALL 1:3,7`},
		{"esearch in lower case", `* esearch (tag "t9") uid all 1:3,7`, `* ESEARCH (TAG "t9") UID ALL 1:3,7`},
		{"esearch that names message 0", `* ESEARCH (TAG "T9") UID ALL 0,1:3`, ""},
		{"open-ended esearch", `* ESEARCH (TAG "T9") UID ALL 1:* COUNT 3`, ""},
		{"exists", "* 7 EXISTS", "* 7 EXISTS"},

		// Flags.
		{"bracket in a keyword", `* FLAGS (\Seen foo] ba=r)`, `* FLAGS (\Seen $Unsafe-foo=5D ba=r)`},
		{"leading space", `* FLAGS ( \Seen  \Deleted )`, `* FLAGS (\Seen \Deleted)`},
		{"quoted flag", `* FLAGS ("\\Deleted" "a b")`, `* FLAGS (\Deleted $Unsafe-a=20b)`},
		{"8-bit keyword", "* FLAGS (w\xc3\xa4hl \x80)", "* FLAGS ($Unsafe-w=C3=A4hl $Unsafe-=80)"},
		{"lone quote", `* FLAGS (" \Seen)`, `* FLAGS ($Unsafe-=22 \Seen)`},
		{"no two keywords share a stand-in", `* FLAGS (a] a=5D] a=5D)`, `* FLAGS ($Unsafe-a=5D $Unsafe-a=3D5D=5D a=5D)`},
		{"permanent flags", `* OK [PERMANENTFLAGS ( \* foo] )] limited`, `* OK [PERMANENTFLAGS (\* $Unsafe-foo=5D)] limited`},
		{"fetched flags", `* 1 FETCH (FLAGS (a] "\\Seen") UID 2)`, `* 1 FETCH (FLAGS ($Unsafe-a=5D \Seen) UID 2)`},

		// Response codes.
		{"lower case", "* ok [uidvalidity 9] x", "* OK [UIDVALIDITY 9] x"},
		{"no space behind", "* OK [ALERT]text", "* OK [ALERT] text"},
		{"never closed", "* NO [ALERT text", "* NO ALERT text"},
		{"never closed behind no code", `T1 OK [0"0] [x`, "T1 OK x"},
		{"8-bit code", "* NO [\xf7\xdb x] y", "* NO y"},
		{"empty code", "* OK [] text", "* OK text"},
		{"no number", "* OK [UIDNEXT x] text", "* OK text"},
		{"too large a number", "* OK [UIDNEXT 4294967296] text", "* OK text"},
		{"UIDVALIDITY that is no number", "* OK [UIDVALIDITY -1] text", "* OK text"},
		{"largest UIDVALIDITY", "* OK [UIDVALIDITY 4294967295] text", "* OK [UIDVALIDITY 4294967295] text"},
		{"UIDVALIDITY in milliseconds", "* OK [UIDVALIDITY 1713632002544] text", "* OK [UIDVALIDITY 4255207306] text"},
		{"the same of an upload", "T1 OK [APPENDUID 1713632002544 8] done", "T1 OK [APPENDUID 4255207306 8] done"},
		{"the same of a copy", "T1 OK [COPYUID 1713632002544 1:2 3:4] done", "T1 OK [COPYUID 4255207306 1:2 3:4] done"},
		{"arguments of NOMODSEQ", "* OK [NOMODSEQ 1] text", "* OK [NOMODSEQ] text"},
		{"open-ended COPYUID", "T1 OK [COPYUID 1 1:* 2:3] done", "T1 OK done"},
		{"COPYUID out of order", "T1 OK [COPYUID 9 3,1:2 30:32] done", "T1 OK done"},
		{"COPYUID in order", "T1 OK [COPYUID 9 1:3 30:32] done", "T1 OK [COPYUID 9 1:3 30:32] done"},
		{"text like a literal", "* OK look {5}", "* OK look {5}"},

		// Capabilities that go-imap must not see.
		{
			"capabilities", "* CAPABILITY IMAP4rev2 imap4rev1 LITERAL+ UTF8=ACCEPT Move bad]name",
			"* CAPABILITY IMAP4rev1 MOVE",
		},
		{"capability code", "T1 OK [CAPABILITY IMAP4rev1 IMAP4rev2 IDLE] in", "T1 OK [CAPABILITY IMAP4rev1 IDLE] in"},
	})
}

func TestRepairFetch(t *testing.T) {
	checkRepairs(t, []repairCase{
		{
			"unknown items",
			`* 1 FETCH (X-GM-MSGID 5 UID 1 EMAILID (M1) X-GM-LABELS ("a (b" \x {2}` + "\r\n)(" + `) SAVEDATE NIL)`,
			"* 1 FETCH (UID 1)",
		},
		{"nothing left", "* 1 FETCH (EMAILID (M1))", ""},
		{"nothing in it", "* 1 FETCH ()", "* 1 FETCH ()"},
		{"date is NIL", "* 1 FETCH (INTERNALDATE NIL UID 1)", "* 1 FETCH (INTERNALDATE " + NoDate + " UID 1)"},
		{
			"date is a literal", "* 1 FETCH (INTERNALDATE {26}\r\n 1-Feb-2020 00:00:00 +0000)",
			`* 1 FETCH (INTERNALDATE " 1-Feb-2020 00:00:00 +0000")`,
		},
		{"date is none", `* 1 FETCH (INTERNALDATE "31-Foo-2020 00:00:00 +0000")`, "* 1 FETCH (INTERNALDATE " + NoDate + ")"},
		{
			"date is good", `* 1 FETCH (INTERNALDATE " 1-Feb-2020 00:00:00 +0000")`,
			`* 1 FETCH (INTERNALDATE " 1-Feb-2020 00:00:00 +0000")`,
		},
		{"negative size", "* 1 FETCH (RFC822.SIZE -1)", "* 1 FETCH (RFC822.SIZE 0)"},
		{"size beyond 63 bits", "* 1 FETCH (RFC822.SIZE 9999999999999999999)", "* 1 FETCH (RFC822.SIZE 0)"},
		{"large size", "* 1 FETCH (RFC822.SIZE 5000000000)", "* 1 FETCH (RFC822.SIZE 5000000000)"},
		{"UID is none", "* 1 FETCH (UID 4294967296 FLAGS ())", "* 1 FETCH (FLAGS ())"},
		{"sequence number is none", "* 4294967296 FETCH (UID 1)", ""},
		{"never closed list", "* 1 FETCH (UID 1 FLAGS (", ""},
		{"no list", "* 1 FETCH UID 1", ""},
	})
}

func TestRepairOther(t *testing.T) {
	checkRepairs(t, []repairCase{
		// Mailboxes.
		{"space in the attributes", `* LIST ( \Noselect ) "/" x`, `* LIST (\Noselect) "/" x`},
		{"no delimiter", `* LIST () nil x`, `* LIST () NIL x`},
		{"empty delimiter", `* LIST () "" x`, `* LIST () NIL x`},
		{"extended data", `* LIST () "/" x ("OLDNAME" ("R&D"))`, `* LIST () "/" x`},
		{"literal name", "* LIST () \"/\" {3}\r\na b", "* LIST () \"/\" {3}\r\na b"},
		{"name that is no modified UTF-7", `* LIST () "/" "R&D"`, ""},
		{"8-bit name", "* LIST () \"/\" \"Entw\xc3\xbcrfe\"", ""},
		{"name with a line end", "* LIST () \"/\" {3}\r\na\nb", ""},
		{"name encoded in two ways", `* LIST () "/" "&AGE-"`, ""},
		{"status", `* STATUS x (MESSAGES 1 MAILBOXID (F1) UIDNEXT x)`, `* STATUS x (MESSAGES 1)`},
		{"status with UIDVALIDITY in milliseconds", `* STATUS x (UIDVALIDITY 1713632002544)`, `* STATUS x (UIDVALIDITY 4255207306)`},
		{"status of a bad name", `* STATUS "R&D" (MESSAGES 1)`, ""},

		// What go-imap does not know.
		{"vanished", "* VANISHED (EARLIER) 1:9", ""},
		{"lsub", `* LSUB () "/" x`, ""},
		{"unknown", "* XYZZY", ""},
		{"recent", "* 3 RECENT", ""},
		{"unknown with a number", "* 3 XYZZY", ""},
		{"spaces in a search", "* SEARCH  1   2", "* SEARCH 1 2"},
		{"empty search", "* SEARCH", "* SEARCH"},
	})
}

func TestMailboxNames(t *testing.T) {
	tests := map[string]bool{
		"INBOX": true, "a&-b": true, "&AOQ-": true, "&AOQ-x&AOQ-": true, "&2DzfVA-": true, "a b/c.d": true,
		"": false, "R&D": false, "&": false, "&AOQ": false, "&AOQ-&AOQ-": false, "&AGE-": false, "&A-": false,
		"&2Dw-": false, "&AOR-": false, "&AO\r\nQ-": false, "tab\t": false, "\x7f": false, "\xc3\xa4": false,
	}
	for name, want := range tests {
		if got := isMailbox(name); got != want {
			t.Errorf("isMailbox(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestLiteralAtEnd(t *testing.T) {
	tests := []struct {
		line  string
		size  int64
		sync  bool
		found bool
	}{
		{"a {12}", 12, true, true},
		{"a {12+}", 12, false, true},
		{"a {0}", 0, true, true},
		{"a {99999999999999999999}", 1<<63 - 1, true, true},
		{"a {12", 0, false, false},
		{"a 12}", 0, false, false},
		{"a {}", 0, false, false},
		{"a {-1}", 0, false, false},
		{"a {1 }", 0, false, false},
	}
	for _, test := range tests {
		_, size, sync, found := literalAtEnd(test.line)
		if size != test.size || sync != test.sync || found != test.found {
			t.Errorf("literalAtEnd(%q) = %d, %v, %v, want %d, %v, %v",
				test.line, size, sync, found, test.size, test.sync, test.found)
		}
	}
}

func TestBodyAhead(t *testing.T) {
	tests := map[string]bool{
		"* 1 FETCH (BODY[] ":                              true,
		"* 1 FETCH (UID 1 body[1.2.MIME] ":                true,
		"* 1 FETCH (BODY[HEADER.FIELDS (DATE FROM)]<77> ": true,
		"* 1 FETCH (BINARY[1] ~":                          true,
		" BODY[TEXT] ":                                    true,
		"* 1 FETCH (BODY[]":                               false,
		"* 1 FETCH (BODY[]<x> ":                           false,
		"* 1 FETCH (XBODY[] ":                             false,
		"* 1 FETCH (X-GM-LABELS (":                        false,
		"* 1 FETCH (RFC822 ":                              false,
	}
	for head, want := range tests {
		if got := bodyAhead(head); got != want {
			t.Errorf("bodyAhead(%q) = %v, want %v", head, got, want)
		}
	}
}
