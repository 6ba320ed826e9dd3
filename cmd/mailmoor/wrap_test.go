package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestHelpOnATerminal: the terminal broke the lines of the help in mid-word at 80 columns.
func TestHelpOnATerminal(t *testing.T) {
	var stdout bytes.Buffer
	a := newApp(strings.NewReader(""), &stdout, io.Discard)
	a.ui.columns = func(io.Writer) int { return 80 }
	root := a.rootCommand()
	root.SetOut(&stdout)
	root.SetArgs([]string{"sync", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(stdout.String()) {
		if line = strings.TrimRight(line, "\n"); columnsIn(line) > 80 {
			t.Errorf("%d columns: %q", columnsIn(line), line)
		}
	}
	const flag = "  -n, --dry-run            say what would be done and change nothing; =full with\n" +
		"                           the headers of messages\n"
	if !strings.Contains(stdout.String(), flag) {
		t.Errorf("a flag reads otherwise than\n%s\n%s", flag, &stdout)
	}
}
