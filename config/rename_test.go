package config

import "testing"

func TestNames(t *testing.T) {
	good, err := value{raw: map[string]any{`\Sent`: "sent", "Lists.go": "lists/go"}}.names()
	if err != nil || len(good) != 2 || good[`\Sent`] != "sent" || good["Lists.go"] != "lists/go" {
		t.Errorf("names are %q, %v", good, err)
	}
	// Each of them has a folder, on any disk.
	good, err = value{raw: map[string]any{"A": "sent", "B": "Sent"}}.names()
	if err != nil || good["A"] != "sent" || good["B"] != "Sent" {
		t.Errorf("names that differ in case only are %q, %v", good, err)
	}
	for name, raw := range map[string]any{
		"no table":              "sent",
		"a number":              map[string]any{"Sent": int64(1)},
		"an empty level":        map[string]any{"Sent": "a//b"},
		"out of the root":       map[string]any{"Sent": "../sent"},
		"an absolute path":      map[string]any{"Sent": "/sent"},
		"an unknown role":       map[string]any{`\Sentt`: "sent"},
		"the same folder twice": map[string]any{"A": "sent", "B": "sent"},
		"INBOX in any case":     map[string]any{"A": "INBOX/a", "B": "inbox/a"},
		"a control character":   map[string]any{"A": "a\nb"},
	} {
		if names, err := (value{raw: raw}).names(); err == nil {
			t.Errorf("%s: %q is taken", name, names)
		}
	}
}
