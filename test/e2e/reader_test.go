package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// readerTimeout bounds how long a mail reader may take for its script.
const readerTimeout = 30 * time.Second

// muttrc is the part of a reader's configuration that matters here: moving and
// deleting without questions, and no marks on messages that were not opened.
const muttrc = `
set mbox_type=Maildir
set folder="%s"
set spoolfile=+INBOX
set sort=mailbox-order
set confirmappend=no
set confirmcreate=no
set delete=yes
set quit=yes
set move=no
set mark_old=no
set wait_key=no
`

// TestMutt lets mutt read, flag, archive and delete messages. What it does to
// the files must reach the server as flags, a move and a deletion to Trash, not
// as new messages.
func TestMutt(t *testing.T) {
	lab.Require(t, "mutt")
	p := newProgram(t)
	p.server.CreateMailbox(p.user, "Archive")
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, name := range []string{"read", "flag", "archive", "delete", "leave"} {
		text := fmt.Sprintf("From: a@example.org\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n"+
			"Date: Sun, 1 Mar 2026 12:0%d:00 +0000\r\n\r\nText.\r\n", name, name, i)
		p.server.Append(p.user, "INBOX", nil, start.Add(time.Duration(i)*time.Minute), []byte(text))
	}
	p.sync(t)

	// Each message is found by its subject, as a person would find it.
	p.mutt(t, `<search>~s\ read<enter><display-message><exit>`+
		`<search>~s\ flag<enter><flag-message>`+
		`<search>~s\ archive<enter><save-message><kill-line>=Archive<enter>`+
		`<search>~s\ delete<enter><delete-message>`+
		`<sync-mailbox><quit>`)
	summary := p.sync(t)
	for _, want := range []string{"1 moved on the server", "1 removed on the server"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the run says %q, without %q", summary, want)
		}
	}
	got := make(map[string]string)
	for _, mailbox := range []string{"INBOX", "Archive", "Trash"} {
		for _, m := range p.server.Messages(p.user, mailbox) {
			_, rest, _ := strings.Cut(string(m.Body), "Subject: ")
			subject, _, _ := strings.Cut(rest, "\r\n")
			got[subject] = mailbox + ":" + m.Flags.String()
			if m.InternalDate.Before(start) || m.InternalDate.After(start.Add(time.Hour)) {
				t.Errorf("%s has the date %s now", subject, m.InternalDate)
			}
		}
	}
	for subject, want := range map[string]string{
		"read": "INBOX:S", "flag": "INBOX:F", "archive": "Archive:", "delete": "Trash:", "leave": "INBOX:",
	} {
		// Opening a message to save or delete it marks it as read, too.
		if got[subject] != want && got[subject] != want+state.Seen.String() {
			t.Errorf("%s is in %q, want %q", subject, got[subject], want)
		}
	}
	if again := p.sync(t); !strings.Contains(again, "nothing to do") {
		t.Errorf("another run says %q", again)
	}
}

// postponing is for a draft that is written without anybody at the keyboard. Each time it
// gets another line: what is saved again within a second is the same draft otherwise.
const postponing = `
set editor="echo more >>"
set abort_unmodified=no
set recall=no
set from="me@example.org"
`

// TestMuttDraft lets mutt, configured as README says, postpone a message twice. The draft
// must reach Drafts on the server, and its first version must not lie in Trash then.
func TestMuttDraft(t *testing.T) {
	lab.Require(t, "mutt")
	p := newProgram(t)
	p.sync(t)
	rc := p.documented(t) + postponing
	p.muttWith(t, rc, `<mail>you@example.org<enter>letter<enter><exit>y<quit>`)
	p.sync(t)
	first := p.server.Messages(p.user, "Drafts")
	if len(first) != 1 || !strings.Contains(string(first[0].Body), "Subject: letter") {
		t.Fatalf("Drafts has %d messages on the server, want the one that was postponed", len(first))
	}
	p.muttWith(t, rc, `<recall-message><exit>y<quit>`)
	p.sync(t)
	p.sync(t)
	again, trash := p.server.Messages(p.user, "Drafts"), p.server.Messages(p.user, "Trash")
	if len(again) != 1 || again[0].UID == first[0].UID || len(trash) != 0 {
		t.Errorf("Drafts has %d messages and Trash %d, want another one than before, and none", len(again), len(trash))
	}
}

// documented returns what README says for mutt, with the tree of this program.
func (p *program) documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```muttrc\n")
	rc, _, closed := strings.Cut(rest, "```")
	if !found || !closed || !strings.Contains(rc, "~/Mail/personal") {
		t.Fatal("README has no configuration for mutt")
	}
	return strings.ReplaceAll(rc, "~/Mail/personal", p.mail)
}

// sync runs once and returns what it says.
func (p *program) sync(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(p.command, "sync")
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sync: %v\n%s", err, out)
	}
	return string(out)
}

// mutt runs mutt on a terminal with the keys that it shall press.
func (p *program) mutt(t *testing.T, keys string) {
	t.Helper()
	p.muttWith(t, fmt.Sprintf(muttrc, p.mail), keys)
}

// muttWith does so with this configuration.
func (p *program) muttWith(t *testing.T, config, keys string) {
	t.Helper()
	rc := filepath.Join(t.TempDir(), "muttrc")
	if err := os.WriteFile(rc, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("mutt", "-n", "-F", rc, "-f", filepath.Join(p.mail, "INBOX"), "-e", `push "`+keys+`"`)
	cmd.Env = append(slices.Clone(p.env), "TERM=xterm")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var screen strings.Builder
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&screen, terminal) // the end of a terminal is an error of the device
	}()
	timer := time.AfterFunc(readerTimeout, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err = cmd.Wait()
	<-read
	if err != nil {
		t.Fatalf("mutt: %v; its screen:\n%q", err, screen.String())
	}
}
