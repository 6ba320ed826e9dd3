package main

import (
	"errors"
	"testing"
	"time"

	"mailmoor/state"
)

// TestRefusedLoginsBackOff: cron tried a password that the server had refused every five
// minutes, until the provider locked the account.
func TestRefusedLoginsBackOff(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	a := &app{now: func() time.Time { return now }}
	no := &state.Error{Cause: state.CauseLogin, Err: errors.New("NO")}
	var r *refusedReport
	var waits []time.Duration
	for range 8 {
		r = a.refused(r, no)
		waits = append(waits, time.Unix(r.NextAt, 0).Sub(now))
	}
	for i, want := range []time.Duration{15, 30, 60, 120, 240, 360, 360, 360} {
		if waits[i] != want*time.Minute {
			t.Errorf("after %d refusals it waits %s, want %d minutes", i+1, waits[i], want)
		}
	}
	for name, err := range map[string]error{
		"not tried": &state.Error{Cause: state.CauseLogin, Err: &errBarred{}},
		"away":      &state.Error{Cause: state.CauseNetwork, Err: errors.New("no route")},
	} {
		if got := a.refused(r, err); got != r {
			t.Errorf("%s: it counts as a refusal, or as none before it: %+v", name, got)
		}
	}
	if got := a.refused(r, nil); got != nil {
		t.Errorf("after a good run %+v is left", got)
	}
}
