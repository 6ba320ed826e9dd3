// Package tidy_test holds the rules of the house that a program can check: who
// may import whom, how long things may be, and what must not stand in the code.
// Each rule comes with samples that it must refuse and accept, so that a rule
// that cannot fail does not pass.
package tidy_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is one parsed Go file.
type source struct {
	path string // relative to the module's root, with slashes
	text string
	set  *token.FileSet
	ast  *ast.File
}

func (s source) dir() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// finding is a place that breaks a rule.
type finding struct {
	pos  token.Pos
	text string
}

// rule is something that every file keeps to.
type rule struct {
	name  string
	check func(source) []finding
	// good and bad are samples, by path.
	good, bad map[string]string
}

func rules() []rule {
	return slices.Concat(importRules(), sizeRules(), wordRules())
}

// TestTree applies all rules to all Go files.
func TestTree(t *testing.T) {
	files := tree(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				for _, found := range r.check(f) {
					t.Errorf("%s:%d: %s", f.path, f.set.Position(found.pos).Line, found.text)
				}
			}
		})
	}
}

// TestRulesCanFail applies each rule to its samples.
func TestRulesCanFail(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if len(r.bad) == 0 || len(r.good) == 0 {
				t.Error("a rule needs samples of both kinds")
			}
			for name, text := range r.bad {
				if len(r.check(parse(t, name, text))) == 0 {
					t.Errorf("it accepts %s:\n%s", name, text)
				}
			}
			for name, text := range r.good {
				for _, found := range r.check(parse(t, name, text)) {
					t.Errorf("it refuses %s: %s\n%s", name, found.text, text)
				}
			}
		})
	}
}

// tree parses every Go file of the module.
func tree(t *testing.T) []source {
	t.Helper()
	root := moduleRoot(t)
	var files []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && isIgnored(d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		files = append(files, parse(t, filepath.ToSlash(name), string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A walk that finds nothing finds no faults either.
	for _, dir := range []string{"state", "engine", "maildir", "test/tidy"} {
		if !slices.ContainsFunc(files, func(f source) bool { return f.dir() == dir }) {
			t.Fatalf("no Go file of %s below %s", dir, root)
		}
	}
	return files
}

// isIgnored reports directories that the go command does not look into, and
// those of built things.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "bin", "dist"}, name)
}

// moduleRoot returns the directory of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func parse(t *testing.T, name, text string) source {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: name, text: text, set: set, ast: parsed}
}

// topLevel is everything that may stand beside go.mod. Dotfiles may, too.
var topLevel = []string{
	"cmd", "conflict", "config", "docs", "engine", "maildir", "packaging", "state", "test",
	"bin", "dist", // built, not kept
	"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
}

// strangers returns the names that do not belong to the top level.
func strangers(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasPrefix(name, ".") || slices.Contains(topLevel, name)
	})
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for _, name := range strangers(names) {
		t.Errorf("%s does not belong to the top level", name)
	}
	got := fmt.Sprint(strangers([]string{"state", "util", ".ci", "go.mod", "main.go"}))
	if want := "[util main.go]"; got != want {
		t.Errorf("strangers of the sample are %s, want %s", got, want)
	}
}
