package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRootsMayNotOverlap(t *testing.T) {
	cases := []struct {
		name       string
		dirs       []string
		links      map[string]string // name to target
		state      string
		one, two   string
		want       string // part of the error, "" for none
		wantsOther string // the other key that it names
	}{
		{name: "apart", one: "a/x", two: "a/y"},
		{name: "prefix of a name only", one: "a/x", two: "a/xy"},
		{name: "equal", one: "a/x", two: "a//./x/", want: "is the same directory as", wantsOther: "account.one.maildir"},
		{name: "inside", one: "a", two: "a/b/c", want: "lies inside of", wantsOther: "account.one.maildir"},
		{name: "outside", one: "a/b/c", two: "a", want: "contains", wantsOther: "account.one.maildir"},
		{
			name: "equal through a link", dirs: []string{"a/x"}, links: map[string]string{"b": "a"},
			one: "a/x", two: "b/x", want: "is the same directory as", wantsOther: "account.one.maildir",
		},
		{
			name: "through a link to what does not exist yet", links: map[string]string{"b": "c", "c": "a/x"},
			one: "a", two: "b", want: "lies inside of", wantsOther: "account.one.maildir",
		},
		{
			name: "missing below a link", dirs: []string{"a"}, links: map[string]string{"b": "a"},
			one: "a/new", two: "b/new/er", want: "lies inside of", wantsOther: "account.one.maildir",
		},
		{
			name: "link in a circle", links: map[string]string{"b": "c", "c": "b"},
			one: "a", two: "b/x", want: "look at",
		},
		{name: "state inside", one: "a", two: "b", state: "b/.state", want: "contains", wantsOther: "state_dir"},
		{name: "state outside", one: "s/a", two: "b", state: "s", want: "lies inside of", wantsOther: "state_dir"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			base := t.TempDir()
			for _, dir := range c.dirs {
				if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for name, target := range c.links {
				if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
					t.Fatal(err)
				}
			}
			if c.state == "" {
				c.state = "state"
			}
			text := fmt.Sprintf("host = \"h\"\nuser = \"u\"\nstate_dir = %q\naccount.one.maildir = %q\naccount.two.maildir = %q\n",
				base+"/"+c.state, base+"/"+c.one, base+"/"+c.two)
			_, err := Load(writeConfig(t, text, 0o600))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.wantsOther) {
				t.Errorf("got %v, want an error with %q and %q", err, c.want, c.wantsOther)
			}
		})
	}
}

// TestRootsSameFile stands for what names cannot show, like a bind mount: two
// paths that no link joins are the same directory.
func TestRootsSameFile(t *testing.T) {
	base := t.TempDir()
	if err := os.MkdirAll(filepath.Join(base, "a", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	one, err := newRoot(filepath.Join(base, "a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := newRoot(filepath.Join(base, "a", "in", "new"), nil)
	if err != nil {
		t.Fatal(err)
	}
	two.whole = "/elsewhere/in/new"
	if !two.isWithin(one) || one.isWithin(two) {
		t.Errorf("the inner one is within: %v, the outer one: %v, want true and false",
			two.isWithin(one), one.isWithin(two))
	}
}
