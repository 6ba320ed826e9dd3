package quirk_test

import (
	"errors"
	"slices"
	"strings"

	"mailmoor/engine"
	"mailmoor/state"
)

// wantProblem is a problem that a report must have.
type wantProblem struct {
	scope   state.Scope
	cause   state.Cause
	mailbox string
	// words must stand in what the user is shown: what happened, to what, and what
	// to do about it.
	words []string
}

// reports checks that the report has exactly these problems, in any order, and
// that each says what to do.
func (a *account) reports(r engine.Report, want ...wantProblem) {
	a.Helper()
	left := slices.DeleteFunc(slices.Clone(r.Problems), func(p state.Problem) bool { return p.Weight == state.WeightWaiting })
	for _, w := range want {
		i := slices.IndexFunc(left, func(p state.Problem) bool {
			if p.Scope != w.scope || p.Cause != w.cause || p.Mailbox != w.mailbox || p.Hint == "" {
				return false
			}
			shown := p.Mailbox + " " + p.Subject + ": " + string(p.Text) + "; " + string(p.Hint)
			return !slices.ContainsFunc(w.words, func(word string) bool { return !strings.Contains(shown, word) })
		})
		if i < 0 {
			a.Errorf("no problem %+v with a hint among %+v", w, left)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, p := range left {
		a.Errorf("unexpected problem: %+v", p)
	}
}

// failsWith checks the error of a run that could not go on.
func (a *account) failsWith(err error, cause state.Cause, words ...string) {
	a.Helper()
	var e *state.Error
	if !errors.As(err, &e) || e.Cause != cause || e.Scope != state.ScopeAccount || e.Hint == "" {
		a.Fatalf("the run ended with %+v, want cause %d with a hint", err, cause)
	}
	for _, word := range words {
		if text := err.Error() + "; " + string(e.Hint); !strings.Contains(text, word) {
			a.Errorf("%q does not say %q", text, word)
		}
	}
}
