package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	File string
	// Line and Column begin at 1, in characters; both are 0 when the problem
	// has no place of its own.
	Line, Column int
	// Key is the full path of the key, "account.work.port". It is empty for
	// text that is not TOML.
	Key string
	// Text says what is wrong and what to write instead.
	Text string
}

// Error returns "file:line:column: key: text" without the parts that are
// unknown.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Error is a configuration that cannot be used, with every reason for it in
// the order of the file.
type Error struct {
	Problems []Problem
}

// Error returns one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems, so that errors.As finds the first one.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, len(e.Problems))
	for _, p := range e.Problems {
		errs = append(errs, p)
	}
	return errs
}

// problemsMax bounds how many problems are reported. Nobody mends more than
// that before trying again.
const problemsMax = 50

// report returns the problems as an error in the order of the file, or nil.
func report(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Text, b.Text))
	})
	problems = slices.Compact(problems)
	if more := len(problems) - problemsMax; more > 0 {
		last := problems[problemsMax]
		last.Text = fmt.Sprintf("there are more problems from here on: %d", more)
		problems = append(problems[:problemsMax], last)
	}
	return &Error{Problems: problems}
}

// clipRunesMax bounds how much of a user's text an error repeats.
const clipRunesMax = 60

// clip shortens text for an error.
func clip(text string) string {
	n := 0
	for i := range text {
		if n == clipRunesMax {
			return text[:i] + "..."
		}
		n++
	}
	return text
}
