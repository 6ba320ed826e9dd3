package config

import (
	"maps"
	"testing"
)

func TestRoles(t *testing.T) {
	c, err := source{file: "f", data: []byte(smallAccount + "[account.x.roles]\ntrash = \"Papierkorb\"\nsent = \"A/B\"\n"), home: "/home/me", stateDir: "/state"}.parse()
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{`\Trash`: "Papierkorb", `\Sent`: "A/B"}; !maps.Equal(c.Accounts[0].Roles, want) {
		t.Errorf("roles are %q, want %q", c.Accounts[0].Roles, want)
	}
	for name, raw := range map[string]any{
		"no table":                  "Trash",
		"a number":                  map[string]any{"trash": int64(1)},
		"an unknown role":           map[string]any{"bin": "Bin"},
		"what is not synced anyway": map[string]any{"all": "All Mail"},
		"one mailbox twice":         map[string]any{"trash": "A", "junk": "A"},
		"INBOX":                     map[string]any{"trash": "inbox"},
		"nothing":                   map[string]any{"trash": ""},
	} {
		if roles, err := (value{raw: raw}).roles(); err == nil {
			t.Errorf("%s: %q is taken", name, roles)
		}
	}
}
