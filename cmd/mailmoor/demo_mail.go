package main

import (
	"embed"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

//go:embed demo/*.eml
var demoFiles embed.FS

// demoMail is a sample message.
type demoMail struct {
	body  string // with CRLF
	flags []imap.Flag
	date  time.Time
}

// readDemoMail returns the sample of that name.
func readDemoMail(name string, flags ...imap.Flag) (demoMail, error) {
	data, err := demoFiles.ReadFile("demo/" + name + ".eml")
	if err != nil {
		return demoMail{}, fmt.Errorf("read sample %s: %w", name, err)
	}
	m := demoMail{body: withCRLF(string(data)), flags: flags}
	parsed, err := mail.ReadMessage(strings.NewReader(m.body))
	if err == nil {
		m.date, err = parsed.Header.Date()
	}
	if err != nil {
		return demoMail{}, fmt.Errorf("read sample %s: %w", name, err)
	}
	return m, nil
}

// withCRLF returns text as it travels.
func withCRLF(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// demoSamples says which samples lie in which mailbox of the server.
func demoSamples() []demoSample {
	return []demoSample{
		{"INBOX", "plain", []imap.Flag{imap.FlagSeen, imap.FlagAnswered}},
		{"INBOX", "attachment", []imap.Flag{imap.FlagSeen, imap.FlagFlagged}},
		{"INBOX", "utf8", nil},
		{"INBOX", "noid", nil},
		{"INBOX", "signed", nil},
		{"Sent", "reply", []imap.Flag{imap.FlagSeen}},
		{"Drafts", "draft", []imap.Flag{imap.FlagDraft, imap.FlagSeen}},
		{"Archive", "invoice", []imap.Flag{imap.FlagSeen}},
		{"Lists/Go", "list", nil},
		{"Büro & Ärger", "signed", []imap.Flag{imap.FlagSeen, imap.FlagForwarded}},
		{"Trash", "spam", []imap.Flag{imap.FlagSeen}},
	}
}

// demoSample is one message in one mailbox.
type demoSample struct {
	mailbox, name string
	flags         []imap.Flag
}

// demoMailboxes are the mailboxes of the server.
func demoMailboxes() []string {
	return []string{"INBOX", "Sent", "Drafts", "Archive", "Archive/2024", "Lists/Go", "Büro & Ärger", "Trash"}
}

// demoFlags returns the flags that both sides know.
func demoFlags(flags []imap.Flag) state.Flags {
	var set state.Flags
	for _, flag := range flags {
		for bit, name := range map[state.Flags]imap.Flag{
			state.Draft: imap.FlagDraft, state.Flagged: imap.FlagFlagged, state.Passed: imap.FlagForwarded,
			state.Answered: imap.FlagAnswered, state.Seen: imap.FlagSeen, state.Trashed: imap.FlagDeleted,
		} {
			if strings.EqualFold(string(flag), string(name)) {
				set |= bit
			}
		}
	}
	return set
}
