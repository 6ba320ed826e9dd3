package main

import (
	"errors"
	"strings"
	"testing"

	"mailmoor/config"
	"mailmoor/state"
)

func TestLikelyMistake(t *testing.T) {
	for _, test := range []struct {
		tls   config.TLSMode
		port  int
		cause state.Cause
		want  string
	}{
		{config.TLSStart, 993, state.CauseNetwork, `tls = "implicit" there`},
		{config.TLSImplicit, 143, state.CauseTLS, `tls = "starttls" there`},
		{config.TLSStart, 143, state.CauseNetwork, "as before"},
		{config.TLSImplicit, 993, state.CauseTLS, "as before"},
		{config.TLSImplicit, 143, state.CauseLogin, "as before"},
	} {
		before := &state.Error{Cause: test.cause, Doing: "connect", Hint: "as before", Err: errors.New("no")}
		after := likelyMistake(config.Account{TLS: test.tls, Port: test.port}, before)
		if !strings.HasSuffix(string(hintOf(after)), test.want) || state.CauseOf(after) != test.cause || before.Hint != "as before" {
			t.Errorf("%s on port %d: %q", test.tls, test.port, hintOf(after))
		}
	}
}

// TestHoldText speaks of what a hold is about now.
func TestHoldText(t *testing.T) {
	for _, test := range []struct {
		hold holdReport
		want string
	}{
		{holdReport{Reason: "all 10 messages are gone at once", Messages: 10}, "all 10 messages are gone at once"},
		{holdReport{Reason: "all 10 messages are gone at once", Messages: 1}, "all 10 messages are gone at once; it is about 1 message now"},
		{holdReport{Reason: "11 of 20 messages are gone at once, more than 5", Messages: 13}, "11 of 20 messages are gone at once, more than 5; it is about 13 messages now"},
		{holdReport{Reason: "the folder is gone", Messages: 3, Whole: true}, "the folder is gone"},
	} {
		if got := test.hold.text(); string(got) != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	if _, reject := (holdReport{Messages: 1, Missing: state.Local.String()}).outcomes(); reject != "1 message is downloaded again" {
		t.Errorf("%q", reject)
	}
}
