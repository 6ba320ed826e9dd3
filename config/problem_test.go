package config

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReportOrdersAndDropsRepetitions(t *testing.T) {
	a := Problem{File: "f", Line: 2, Column: 9, Key: "a", Text: "x"}
	b := Problem{File: "f", Line: 2, Column: 10, Key: "a", Text: "x"}
	c := Problem{File: "f", Line: 10, Column: 1, Key: "a", Text: "x"}
	err := report([]Problem{c, b, a, b, c})
	var all *Error
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if diff := cmp.Diff([]Problem{a, b, c}, all.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var first Problem
	if !errors.As(err, &first) || first != a {
		t.Errorf("the first problem is %v, want %v", first, a)
	}
	if want := "f:2:9: a: x\nf:2:10: a: x\nf:10:1: a: x"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := report(nil); err != nil {
		t.Errorf("no problems give %v", err)
	}
}

func TestReportLimit(t *testing.T) {
	var problems []Problem
	for line := range problemsMax + 7 {
		problems = append(problems, Problem{File: "f", Line: line + 1, Column: 1, Text: "x"})
	}
	var all *Error
	if !errors.As(report(problems), &all) || len(all.Problems) != problemsMax+1 {
		t.Fatalf("got %d problems, want %d", len(all.Problems), problemsMax+1)
	}
	want := fmt.Sprintf("f:%d:1: there are more problems from here on: 7", problemsMax+1)
	if got := all.Problems[problemsMax].Error(); got != want {
		t.Errorf("the last line is %q, want %q", got, want)
	}
}

func TestClip(t *testing.T) {
	long := fmt.Sprintf("%0*d", clipRunesMax+1, 0)
	for text, want := range map[string]string{"": "", "ü": "ü", long[1:]: long[1:], long: long[1:] + "..."} {
		if got := clip(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
