package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad checks that no file makes the parser panic, that every error names a
// place or a key, and that a configuration without errors keeps its promises.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/errors/*.toml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	for _, text := range []string{full, Smallest, "[account]\n", "[account.a.guard]\n", "account = { a = { b.c = {} } }", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseText(text)
		if err == nil {
			checkConfig(t, c)
			return
		}
		var all *Error
		if !errors.As(err, &all) || len(all.Problems) == 0 || len(all.Problems) > problemsMax+1 {
			t.Fatalf("got %v, want an *Error with some problems", err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range all.Problems {
			if p.Key == "" && p.Line == 0 || p.Text == "" || p.Line > lines || p.Line > 0 && p.Column < 1 {
				t.Errorf("problem without a place: %+v", p)
			}
		}
		if _, again := parseText(text); again == nil || again.Error() != err.Error() {
			t.Errorf("the second time it says %v, not %v", again, err)
		}
	})
}

// checkConfig fails when a validated configuration is none.
func checkConfig(t *testing.T, c Config) {
	t.Helper()
	if !filepath.IsAbs(c.StateDir) || c.LogLevel == "" || len(c.Accounts) == 0 {
		t.Errorf("incomplete: %+v", c)
	}
	for _, a := range c.Accounts {
		if a.Name == "" || a.Host == "" || a.User == "" || !filepath.IsAbs(a.Maildir) || a.Port < 1 || a.Port > 65535 ||
			a.Connections < 1 || a.Connections > 10 || a.HoldDays < 1 || !a.Password.IsZero() {
			t.Errorf("incomplete: %+v", a)
		}
		if a.TLS == TLSNone && !isLoopback(a.Host) {
			t.Errorf("account %s logs in to %s in the clear", a.Name, a.Host)
		}
		a.Mailboxes.Match("INBOX/a", '/', false)
	}
}
