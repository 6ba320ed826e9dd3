package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

func TestDecoded(t *testing.T) {
	for value, want := range map[string]string{
		"plain":                             "plain",
		"=?utf-8?q?J=C3=BCrgen?= <j@x>":     "Jürgen <j@x>",
		"=?UTF-8?B?w6Q=?= =?utf-8?b?w7Y=?=": "äö",
		"=?iso-8859-1?q?gr=FC=DFe?=":        "grüße",
		"=?windows-1252?q?caf=E9?=":         "=?windows-1252?q?caf=E9?=",
		"=?utf-8?q?broken":                  "=?utf-8?q?broken",
		"gr\xfc\xdfe":                       "gr\xfc\xdfe",
	} {
		if got := decoded(value); got != want {
			t.Errorf("%q is shown as %q, want %q", value, got, want)
		}
	}
}

func TestShortened(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"exactly10!":       "exactly10!",
		"eleven long":      "eleven lo…",
		"äöüäöüäöüä":       "äöüäöüäöüä",
		"a\x1b[2J":         `a\x1b[2J`,
		"a\r\nb":           `a\r\nb`,
		"gr\xfc\xdfe":      `gr\xfc…`,
		"\xff\xff":         `\xff\xff`,
		"a\u202eb":         `a\u202eb`,
		"12345678\x1b":     "12345678…",
		"\U000e0001\u00ad": "…",
	} {
		got := shortened(text, 10)
		if string(got) != want || utf8.RuneCountInString(string(got)) > 10 {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestTransferLines(t *testing.T) {
	date := time.Date(2026, 11, 20, 9, 5, 0, 0, time.Local).Unix()
	download := engine.Transfer{Kind: plan.Download, Mailbox: "INBOX", Messages: 30, Sized: 30, Bytes: 123456, Newest: []engine.Headline{
		{UID: 4711, Date: date, Size: 2048, From: "=?utf-8?q?J=C3=BCrgen?= <juergen@example.org>", Subject: "hello\x07"},
		{UID: 9, Size: 7},
	}}
	lost := download
	lost.Sized, lost.Newest = 28, download.Newest[:1]
	unknown := engine.Transfer{Kind: plan.Download, Mailbox: "Sent", Messages: 1}
	upload := engine.Transfer{Kind: plan.Upload, Mailbox: "Sent", Messages: 1, Sized: 1, Bytes: 9, Newest: []engine.Headline{
		{Key: "1700.host", Date: date, Size: 9, Subject: "s"},
	}}
	for _, test := range []struct {
		transfer engine.Transfer
		want     []state.Text
	}{
		{download, []state.Text{
			"INBOX: download 30 messages, 123.5 kB",
			`  UID 4711  2026-11-20 09:05     2.0 kB  Jürgen <juergen@example.org>  hello\a`,
			"  UID 9     no date             7 bytes",
			"  and 28 older",
		}},
		{lost, []state.Text{
			"INBOX: download 30 messages, 123.5 kB (the size of 2 is not known)",
			`  UID 4711  2026-11-20 09:05     2.0 kB  Jürgen <juergen@example.org>  hello\a`,
			"  and 29 other",
		}},
		{unknown, []state.Text{"Sent: download 1 message (the size of 1 is not known)"}},
		{upload, []state.Text{
			"Sent: upload 1 message, 9 bytes",
			"  1700.host  2026-11-20 09:05    9 bytes                                s",
		}},
	} {
		got := transferLines(test.transfer)
		for i := range got {
			got[i] = state.Text(strings.TrimRight(string(got[i]), " ")) // as it is printed
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestPlanLinesWithDetails shows them in the place of the counts.
func TestPlanLinesWithDetails(t *testing.T) {
	ops := []plan.Op{
		{Kind: plan.CreateFolder, Mailbox: "INBOX", Folder: "INBOX"},
		{Kind: plan.Download, Mailbox: "INBOX", UIDs: state.NewUIDSet(1)},
		{Kind: plan.Download, Mailbox: "Sent", UIDs: state.NewUIDSet(1)},
	}
	got := planLines(ops, []engine.Transfer{{Kind: plan.Download, Mailbox: "Sent", Messages: 1, Sized: 1, Bytes: 5}})
	want := []state.Text{
		"INBOX: mark the folder, which is there already",
		"INBOX: download 1 message", "  the newest UID: 1",
		"Sent: download 1 message, 5 bytes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
