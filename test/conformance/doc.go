// Package conformance pins down the contracts of the engine's ports, one suite
// for each. A suite runs on the fakes of test/sim and on the real adapters, so
// that what the engine's tests learn from the fakes is true of the real things.
package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailmoor/state"
)

// baseDate is a time long before the test, in Unix seconds.
const baseDate = 1_600_000_000

// Mail returns a message with CRLF line ends that has the number in its fields.
func Mail(number int) []byte {
	return []byte(fmt.Sprintf("Message-ID: <%d@example.org>\r\nDate: Sun, 13 Sep 2020 12:26:40 +0000\r\n"+
		"From: a@example.org\r\nTo: b@example.org\r\nSubject: message %d\r\n\r\nText of message %d.\r\n", number, number, number))
}

// oddMails are messages on which implementations stumble, by what is odd.
func oddMails() map[string][]byte {
	const header = "Message-ID: <odd@example.org>\r\nSubject: odd\r\n\r\n"
	return map[string][]byte{
		"ordinary":            Mail(1),
		"no last line end":    []byte(header + "text without an end"),
		"empty body":          []byte(header),
		"eight-bit bytes":     []byte(header + "\xff\xfe\xe4 gr\xc3\xbc\xc3\x9fe\r\n"),
		"long line":           []byte(header + strings.Repeat("0123456789", 9000) + "\r\n"),
		"megabyte":            []byte(header + strings.Repeat("A line of a large message.\r\n", 40_000)),
		"looks like literal":  []byte(header + "a {123}\r\nb {5+}\r\n* 1 FETCH (UID 1)\r\n)\r\n"),
		"From line in text":   []byte(header + "From somebody\r\n.\r\n..\r\n"),
		"status fields":       []byte("Status: RO\r\nX-Status: A\r\nContent-Length: 5\r\n" + header + "text\r\n"),
		"folded header":       []byte("Subject: one\r\n two\r\n\tthree\r\nMessage-ID:\r\n <f@example.org>\r\n\r\ntext\r\n"),
		"blank lines at ends": []byte("\r\n\r\ntext\r\n\r\n\r\n"),
	}
}

// contentOf returns the content of a message.
func contentOf(data []byte) state.Content {
	d := state.NewDigester()
	d.Write(data) // it never fails
	return d.Sum()
}

// wantCause fails the test unless err has the cause and, where the cause says
// how far an error reaches, a scope that lets the neighbours go on.
func wantCause(t *testing.T, err error, want state.Cause) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with cause %d", want)
	}
	var e *state.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) is not a *state.Error", err, err)
	}
	if e.Cause != want {
		t.Errorf("error %q has cause %d, want %d", err, e.Cause, want)
	}
	if e.Scope > state.ScopeMailbox {
		t.Errorf("error %q has scope %v; the account could go on", err, e.Scope)
	}
	if e.Doing == "" {
		t.Errorf("error %q does not say what was being done", err)
	}
}

// equal fails the test when got is not want; nil and empty are the same.
func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	// Without this a megabyte would be compared byte by byte through reflection.
	whole := cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), whole); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// ok ends the test when err is not nil.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
