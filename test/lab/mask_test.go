package lab

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/test/corpus"
)

// maskCase says what can be seen of a capability with Dovecot, so that each
// thing can be shown to be there without the mask and gone with it.
type maskCase struct {
	hide string
	// bad are commands that only the capability allows.
	bad []string
	// gone maps commands that every server takes to what the capability adds
	// to their answers.
	gone map[string]string
}

func maskCases() []maskCase {
	return []maskCase{
		{"CONDSTORE", []string{
			"SELECT INBOX (CONDSTORE)", "SELECT INBOX (QRESYNC (1 1))", "SELECT {5}\r\nINBOX (CONDSTORE)",
			"UID FETCH 1:* (UID MODSEQ)", "UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 1)",
			`UID STORE 1 (UNCHANGEDSINCE 99) +FLAGS (\Seen)`, "STATUS INBOX (HIGHESTMODSEQ)", "UID SEARCH MODSEQ 1",
			`LIST "" * RETURN (STATUS (HIGHESTMODSEQ))`,
		}, map[string]string{"SELECT INBOX": "HIGHESTMODSEQ"}},
		{"QRESYNC", []string{"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)"}, nil},
		{"UIDPLUS", []string{"UID EXPUNGE 99"}, map[string]string{
			"APPEND INBOX {4+}\r\nA: b": "APPENDUID", "UID COPY * INBOX": "COPYUID", "UID MOVE * INBOX": "COPYUID",
		}},
		{"MOVE", []string{"UID MOVE 99 INBOX", "MOVE 1 INBOX", "UID MOVE 1 {5}\r\nINBOX", "UID MOVE 1 {5+}\r\nINBOX"}, nil},
		{"ESEARCH", []string{"UID SEARCH RETURN (ALL) ALL", "SEARCH RETURN () ALL"}, nil},
		{"LIST-STATUS", []string{`LIST "" * RETURN (STATUS (MESSAGES))`, `LIST "" {1}` + "\r\n* RETURN (STATUS (UIDNEXT))"}, nil},
		{"LIST-EXTENDED", []string{`LIST "" * RETURN (CHILDREN)`, `LIST (SUBSCRIBED) "" *`}, nil},
		{
			"SPECIAL-USE",
			[]string{`LIST "" * RETURN (SPECIAL-USE)`, `LIST (SPECIAL-USE) "" *`},
			map[string]string{`LIST "" *`: `\Trash`},
		},
		{"LITERAL+", []string{"SELECT {5+}\r\nINBOX", "APPEND INBOX {4+}\r\nA: b"}, nil},
		{"NAMESPACE", []string{"NAMESPACE"}, nil},
		{"UNSELECT", []string{"UNSELECT"}, nil},
		{"ENABLE", []string{"ENABLE CONDSTORE"}, nil},
		{"ID", []string{"ID NIL"}, nil},
		{"NOTIFY", []string{"NOTIFY NONE"}, nil},
		{"STATUS=SIZE", []string{"STATUS INBOX (MESSAGES SIZE)"}, nil},
	}
}

func TestMaskHides(t *testing.T) {
	srv := Dovecot(t, SpecialUse())
	for _, tt := range maskCases() {
		t.Run(tt.hide, func(t *testing.T) {
			srv := srv.On(t)
			srv.User("u1")
			srv.Load("u1", "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 3})))
			masked := Mask(t, srv, tt.hide)
			open, openLogin := login(t, srv)
			hidden, hiddenLogin := login(t, masked)
			openCaps := openLogin + open.ok("CAPABILITY")
			hiddenCaps := hiddenLogin + hidden.ok("CAPABILITY")
			if n := announcements(openCaps, tt.hide); n != 2 {
				t.Errorf("the server itself announces it %d times: %s", n, openCaps)
			}
			if announcements(hiddenCaps, tt.hide) > 0 {
				t.Errorf("it is still announced: %s", hiddenCaps)
			}
			open.ok("ENABLE QRESYNC") // otherwise SELECT (QRESYNC) is BAD
			open.ok("SELECT INBOX (CONDSTORE)")
			hidden.ok("SELECT INBOX")
			for _, command := range tt.bad {
				hidden.bad(command)
				open.ok(command)
				open.do("SELECT INBOX")
				hidden.ok("SELECT INBOX")
			}
			for command, word := range tt.gone {
				if answer := open.ok(command); !strings.Contains(answer, word) {
					t.Errorf("%s without mask: no %s in %s", command, word, answer)
				}
				hidden.ok("SELECT INBOX")
				if answer := hidden.ok(command); strings.Contains(answer, word) {
					t.Errorf("%s: %s is still in %s", command, word, answer)
				}
			}
			stillWorks(t, srv, hidden)
		})
	}
}

// announcements counts how often the capability is announced.
func announcements(text, capability string) int {
	n := 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" []\n", r) }) {
		if word == capability {
			n++
		}
	}
	return n
}

func TestMaskHidesInTheGreeting(t *testing.T) {
	srv := Dovecot(t)
	_, open := dialRaw(t, srv)
	_, hidden := dialRaw(t, Mask(t, srv, "LITERAL+", "IDLE"))
	for _, capability := range []string{"LITERAL+", "IDLE"} {
		if announcements(open, capability) != 1 || announcements(hidden, capability) != 0 {
			t.Errorf("%s in the greetings:\n%s\n%s", capability, open, hidden)
		}
	}
	if announcements(hidden, "SASL-IR") != 1 {
		t.Errorf("SASL-IR is gone from the greeting: %s", hidden)
	}
}

// stillWorks checks that what no mask hides passes unchanged.
func stillWorks(t *testing.T, srv *Server, c *rawClient) {
	t.Helper()
	c.ok("CREATE {5}\r\nOther")
	c.ok("APPEND Other (\\Seen) {24}\r\nSubject: {3}\r\n\r\n{5+}\r\n\r\n")
	c.ok("SELECT Other")
	c.ok(`UID STORE 1 +FLAGS (\Flagged)`)
	if answer := c.ok("FETCH 1 (FLAGS BODY.PEEK[])"); !strings.Contains(answer, `\Flagged`) {
		t.Errorf("FETCH is answered %q", answer)
	}
	c.ok(`UID SEARCH ALL`)
	c.ok(`LIST "" *`)
	c.ok("STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)")
	messages := srv.Messages("u1", "Other")
	if len(messages) != 1 || string(messages[0].Body) != "Subject: {3}\r\n\r\n{5+}\r\n\r\n" {
		t.Errorf("the message arrived as %+v", messages)
	}
}

func TestMaskHidesIdle(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	plain, answer := login(t, Mask(t, srv))
	if !strings.Contains(answer, " IDLE ") {
		t.Errorf("IDLE is not announced: %s", answer)
	}
	plain.ok("SELECT INBOX")
	plain.send("i IDLE\r\n")
	if line, err := readLine(plain.in); err != nil || !strings.HasPrefix(line, "+") {
		t.Errorf("IDLE is answered %q, %v", line, err)
	}
	srv.Append("u1", "INBOX", nil, corpus.At(corpus.Options{}, 0).Date, []byte("A: b\r\n"))
	if line, err := readLine(plain.in); err != nil || line != "* 1 EXISTS" {
		t.Errorf("IDLE brought %q, %v", line, err)
	}
	plain.send("DONE\r\n")
	plain.ok("NOOP")

	hidden, answer := login(t, Mask(t, srv, "IDLE"))
	if strings.Contains(answer, "IDLE") {
		t.Errorf("IDLE is announced: %s", answer)
	}
	hidden.ok("SELECT INBOX")
	hidden.bad("IDLE")
	hidden.ok("NOOP")
}

// With CONDSTORE enabled on the connection Dovecot adds MODSEQ to every FETCH;
// the mask keeps it from being enabled, so what is removed is shown on lines.
func TestHidingRewritesAnswers(t *testing.T) {
	h := hiding{rules: []rule{rules()["CONDSTORE"], rules()["SPECIAL-USE"]}}
	for _, tt := range []struct{ line, want string }{
		{`* 1 FETCH (UID 5 MODSEQ (7) FLAGS (\Seen))`, `* 1 FETCH (UID 5 FLAGS (\Seen))`},
		{`* 1 FETCH (MODSEQ (7) UID 5)`, `* 1 FETCH (UID 5)`},
		{`* 1 FETCH (UID 5 MODSEQ (7))`, `* 1 FETCH (UID 5)`},
		{`* 1 FETCH (UID 5 BODY[] "MODSEQ (7) \" MODSEQ (8)")`, `* 1 FETCH (UID 5 BODY[] "MODSEQ (7) \" MODSEQ (8)")`},
		{`* STATUS "HIGHESTMODSEQ 3" (MESSAGES 1 HIGHESTMODSEQ 9)`, `* STATUS "HIGHESTMODSEQ 3" (MESSAGES 1)`},
		{`* SEARCH 1 2 (MODSEQ 9)`, `* SEARCH 1 2`},
		{`* LIST (\HasNoChildren \Trash) "/" Trash`, `* LIST (\HasNoChildren) "/" Trash`},
		{`* LIST (\Trash) "/" "\\Trash "`, `* LIST () "/" "\\Trash "`},
		{`* CAPABILITY IMAP4rev1 CONDSTORE IDLE QRESYNC`, `* CAPABILITY IMAP4rev1 IDLE`},
	} {
		if got := h.answer(answerType(tt.line), tt.line); got != tt.want {
			t.Errorf("%s\nbecomes %s\nwant    %s", tt.line, got, tt.want)
		}
	}
	for _, tt := range []struct {
		line, want string
		sent       bool
	}{
		{"* OK [CAPABILITY IMAP4rev1 CONDSTORE] hello", "* OK [CAPABILITY IMAP4rev1] hello", true},
		{"* OK [HIGHESTMODSEQ 4] Highest", "", false},
		{"a1 OK [MODIFIED 5] Conditional", "a1 OK Conditional", true},
		{"a1 NO [TRYCREATE] HIGHESTMODSEQ", "a1 NO [TRYCREATE] HIGHESTMODSEQ", true},
	} {
		got, sent := h.status(tt.line)
		if sent != tt.sent || sent && got != tt.want {
			t.Errorf("%s\nbecomes %q, %v\nwant    %q, %v", tt.line, got, sent, tt.want, tt.sent)
		}
	}
}

func TestTranscript(t *testing.T) {
	srv := Dovecot(t)
	srv.User("u1")
	p := Mask(t, srv, "MOVE")
	c, _ := login(t, p)
	p.Reset()
	c.ok("SELECT INBOX")
	c.ok("UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])")
	c.ok("LOGOUT")
	if changing := p.Changing(); len(changing) > 0 {
		t.Errorf("these change something: %v", changing)
	}
	c, _ = login(t, p)
	c.ok("CREATE {3}\r\nBox")
	c.ok("APPEND Box () {6}\r\nA: b\r\n")
	c.ok("SELECT Box")
	c.bad("UID MOVE 1 INBOX")
	c.ok("UID FETCH 1 (BODY[])")
	want := []Command{
		{0, "SELECT", "SELECT INBOX", false},
		{0, "UID FETCH", "UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])", false},
		{0, "LOGOUT", "LOGOUT", false},
		{1, "LOGIN", "LOGIN", false},
		{1, "CREATE", "CREATE {3}", false},
		{1, "APPEND", "APPEND Box () {6}", false},
		{1, "SELECT", "SELECT Box", false},
		{1, "UID MOVE", "UID MOVE 1 INBOX", true},
		{1, "UID FETCH", "UID FETCH 1 (BODY[])", false},
	}
	if got := p.Commands(); !slices.Equal(got, want) {
		t.Errorf("recorded:\n%v\nwant:\n%v", got, want)
	}
	if got := p.Changing(); len(got) != 4 {
		t.Errorf("changing commands: %v", got)
	}
}
