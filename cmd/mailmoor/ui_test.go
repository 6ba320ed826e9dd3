package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"mailmoor/engine"
	"mailmoor/state"
)

func newTestUI() (u *ui, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return newUI(strings.NewReader(""), stdout, stderr), stdout, stderr
}

// TestMessage shows the form of messages, which no text from outside can leave.
func TestMessage(t *testing.T) {
	u, stdout, stderr := newTestUI()
	u.message("personal", "connect to imap.example.org:993: refused", "check the network")
	u.message("", "one\nmailmoor: forged\n\ttwo", "")
	u.failure("work", &state.Error{Doing: "list", Hint: "look\x1b[1m", Err: errors.New("no\rway")})
	want := "mailmoor: personal: connect to imap.example.org:993: refused\n" +
		"  check the network\n" +
		`mailmoor: one\nmailmoor: forged\n\ttwo` + "\n" +
		"mailmoor: work: list: no\\rway\n  look\\x1b[1m\n"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Error(diff)
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout: %q", stdout)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for got, want := range map[state.Text]state.Text{
		count(1, "hold"):                      "1 hold",
		count(0, "hold"):                      "0 holds",
		count(2, "mailbox|mailboxes"):         "2 mailboxes",
		bytesText(999):                        "999 bytes",
		bytesText(1):                          "1 byte",
		bytesText(1500):                       "1.5 kB",
		bytesText(2_000_000_000):              "2.0 GB",
		durationText(1234 * time.Millisecond): "1.2 s",
		durationText(75 * time.Second):        "75 s",
		durationText(90 * time.Minute):        "90 min",
		durationText(49 * time.Hour):          "49 h",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestProgressOnATerminal drives the clock: the line is drawn at most five times
// a second and gone before anything else is printed.
func TestProgressOnATerminal(t *testing.T) {
	u, stdout, stderr := newTestUI()
	u.interactive = true
	p := newProgress(u, zerolog.Nop(), false)
	now := time.Unix(1000, 0)
	p.now = func() time.Time { return now }
	tell := p.of("personal")
	for i := range 100 {
		tell(engine.Progress{Messages: i + 1, MessagesTotal: 200, Bytes: int64(i+1) * 1000})
		now = now.Add(20 * time.Millisecond)
	}
	drawn := strings.Split(strings.TrimSpace(strings.ReplaceAll(stderr.String(), "\r", "\n")), "\n")
	var lines []string
	for _, line := range drawn {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) != 10 {
		t.Errorf("two seconds drew %d lines, want 10: %q", len(lines), lines)
	}
	if last := lines[len(lines)-1]; last != "personal: 45 %, 91 of 200 messages, 91.0 kB, 50.6 kB/s, 2.2 s left" {
		t.Errorf("the last line is %q", last)
	}
	stderr.Reset()
	u.result("done")
	if got := stderr.String(); strings.Trim(got, " \r") != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("the line was cleared with %q", got)
	}
	if stdout.String() != "done\n" {
		t.Errorf("stdout: %q", stdout)
	}
}

// TestProgressForms: at 40 columns only the number of messages was left of the line.
func TestProgressForms(t *testing.T) {
	u, _, stderr := newTestUI()
	for width, want := range map[int]string{
		100: "personal: 45 %, 91 of 200 messages, 91.0 kB, 50.6 kB/s, 2.2 s left",
		60:  "personal: 45 %, 50.6 kB/s, 2.2 s left",
		35:  "45 %, 50.6 kB/s, 2.2 s left persona",
	} {
		u.columns = func(io.Writer) int { return width + 1 }
		stderr.Reset()
		u.draw(progressForms("personal", engine.Progress{Messages: 91, MessagesTotal: 200, Bytes: 91000}, 1800*time.Millisecond)...)
		if got := strings.Trim(stderr.String(), "\r "); got != want {
			t.Errorf("with %d columns %q, want %q", width, got, want)
		}
	}
	for of, want := range map[engine.Progress]state.Text{
		{}:                            "personal: looking what is there",
		{Looked: 12, LooksTotal: 100}: "personal: 12 %, 12 of 100 mailboxes looked at",
	} {
		if got := progressForms("personal", of, 0)[0]; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestProgressElsewhere logs one line each 30 seconds, and nothing with --quiet.
func TestProgressElsewhere(t *testing.T) {
	for quiet, want := range map[bool]int{false: 3, true: 0} {
		u, _, _ := newTestUI()
		var logged bytes.Buffer
		p := newProgress(u, zerolog.New(&logged), quiet)
		now := time.Unix(1000, 0)
		p.now = func() time.Time { return now }
		for i := range 100 {
			if tell := p.of("personal"); tell != nil {
				tell(engine.Progress{Messages: i, MessagesTotal: 100})
			}
			now = now.Add(time.Second)
		}
		if n := strings.Count(logged.String(), "\n"); n != want {
			t.Errorf("quiet %t: %d lines, want %d:\n%s", quiet, n, want, &logged)
		}
	}
}

// TestQuestion shows that others can print while a question waits.
func TestQuestion(t *testing.T) {
	u, stdout, stderr := newTestUI()
	answered := u.ask("Password of a\x1b: ")
	u.message("b", "away", "")
	u.draw("1 of 2 messages")
	u.result("b: done")
	answered()
	u.draw("2 of 2 messages")
	const question = `Password of a\x1b: `
	cleared := "\r" + strings.Repeat(" ", len(question)) + "\r"
	want := question + cleared + "mailmoor: b: away\n" + question + cleared + question + "\n" + "2 of 2 messages"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Error(diff)
	}
	if stdout.String() != "b: done\n" {
		t.Errorf("stdout: %q", stdout)
	}
}
