package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryFieldHasAKey checks that there is a key for each field of Config,
// Account and Guard, and none for anything else.
func TestEveryFieldHasAKey(t *testing.T) {
	want := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		want[f.Name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Account]()) {
		want[f.Name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Guard]()) {
		want["Guard."+f.Name] = true
	}
	// The name of an account is the name of its table.
	for _, structure := range []string{"Accounts", "Name", "Guard"} {
		delete(want, structure)
	}
	got := map[string]bool{}
	for _, k := range Keys() {
		if !k.Planned {
			got[k.field] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields with a key (-want +got):\n%s", diff)
	}
}

// smallAccount is an account without any key that has a default.
const smallAccount = "[account.x]\nhost = \"h\"\nuser = \"u\"\nmaildir = \"/m\"\n"

// with returns smallAccount with one more line, which stands for that of the
// same key if there is one.
func with(k Key, line string) string {
	if k.Top {
		return line + "\n" + smallAccount
	}
	var kept strings.Builder
	for old := range strings.Lines(smallAccount) {
		if !strings.HasPrefix(old, k.Name+" = ") {
			kept.WriteString(old)
		}
	}
	return kept.String() + line + "\n"
}

// TestExamples sets each key with its example, and checks that exactly the
// field that the key names changes.
func TestExamples(t *testing.T) {
	before := settings(t, smallAccount)
	for _, k := range Keys() {
		if k.Planned {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			after := settings(t, with(k, k.Example))
			for name := range before {
				changed := !cmp.Equal(before[name], after[name])
				// The port follows from the TLS mode.
				if follows := k.Name == "tls" && name == "Port"; changed != (name == k.field) && !follows {
					t.Errorf("field %s: changed %v", name, changed)
				}
			}
		})
	}
}

// settings returns the fields of the configuration of one account by their
// names in Key.field.
func settings(t *testing.T, text string) map[string]any {
	t.Helper()
	c, err := source{file: "f", data: []byte(text), home: "/home/me", stateDir: "/state"}.parse()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := map[string]any{"StateDir": c.StateDir, "LogLevel": c.LogLevel}
	addFields(all, "", c.Accounts[0])
	addFields(all, "Guard.", c.Accounts[0].Guard)
	delete(all, "Guard")
	return all
}

func addFields(all map[string]any, prefix string, structure any) {
	v := reflect.ValueOf(structure)
	for i := range v.NumField() {
		all[prefix+v.Type().Field(i).Name] = v.Field(i).Interface()
	}
}

func TestKeysAreDocumented(t *testing.T) {
	seen := map[string]string{}
	for _, k := range Keys() {
		if k.Name == "" || k.Type == "" || !strings.HasSuffix(k.Meaning, ".") || k.set == nil {
			t.Errorf("key %q lacks something: %+v", k.Name, k)
		}
		if k.Example == "" && !k.Planned {
			t.Errorf("key %q has no example", k.Name)
		}
		for _, name := range append(k.also, k.Name) {
			if other, taken := seen[name]; taken {
				t.Errorf("%q stands for %q and %q", name, other, k.Name)
			}
			seen[name] = k.Name
		}
	}
}

// TestDefaultsAreTrue checks that the documented default, written down, changes
// nothing.
func TestDefaultsAreTrue(t *testing.T) {
	before := settings(t, smallAccount)
	for _, k := range Keys() {
		// Some defaults are words, not values.
		if k.Default == "" || k.Name == "port" || k.Name == "state_dir" || k.Name == "auth" {
			continue
		}
		if diff := cmp.Diff(before, settings(t, with(k, k.Name+" = "+k.Default))); diff != "" {
			t.Errorf("the default of %s changes (-without +with):\n%s", k.Name, diff)
		}
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"host", "port", "user", "password", "password_command", "tls", "tls_ca"}
	cases := map[string]string{
		"hots": "host", "HOST": "host", "prot": "port", "pasword": "password", "passwordcommand": "password_command",
		"password-command": "password_command", "tl": "tls", "": "", "x": "", "colour": "", "u": "",
		strings.Repeat("a", wordBytesMax+1): "",
	}
	for word, want := range cases {
		if got := nearest(word, candidates); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	cases := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abd", 1},
		{"abc", "ab", 1},
		{"ab", "abc", 1},
		{"ab", "ba", 1},
		{"abcd", "acbd", 1},
		{"kitten", "sitting", 3},
	}
	for _, c := range cases {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance of %q and %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
