package main

import (
	"strings"
	"testing"

	"mailmoor/config"
)

// TestConfigHelp: every key is documented, and no line runs over a terminal's edge.
func TestConfigHelp(t *testing.T) {
	text := configHelp()
	for _, key := range config.Keys() {
		if !strings.Contains(text, "\n  "+key.Name+" (") {
			t.Errorf("key %s is missing", key.Name)
		}
		if !strings.Contains(text, key.Example) {
			t.Errorf("the example of %s is missing", key.Name)
		}
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 90 {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}
