package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goTerms are words of Go, and of no user.
var goTerms = regexp.MustCompile(`\b(struct|interface|int64|float64|bool|uint|map\[|\[\]|unmarshal|nil|config\.[A-Z])`)

// TestErrorTexts compares what Load says of each broken file with the golden
// file beside it.
func TestErrorTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parseText(string(data))
			var all *Error
			if !errors.As(err, &all) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			got := err.Error() + "\n"
			if word := goTerms.FindString(got); word != "" {
				t.Errorf("the text says %q:\n%s", word, got)
			}
			golden := strings.TrimSuffix(file, ".toml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("error text (-want +got):\n%s", diff)
			}
		})
	}
}

// parseText parses the text as the file config.toml, which may not hold a
// password, of a user with the home directory /home/me.
func parseText(text string) (Config, error) {
	return source{
		file: "config.toml", data: []byte(text), home: "/home/me", stateDir: "/state",
		public: errors.New("others can read this file"),
	}.parse()
}
