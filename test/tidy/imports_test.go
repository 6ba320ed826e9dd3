package tidy_test

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the prefix of our own packages.
const module = "mailmoor/"

// mayImport is the direction of imports: cmd -> engine/daemon -> engine ->
// engine/plan -> conflict -> state, and adapters know the vocabulary and their
// own sub-packages. "*" stands for everything of ours but test/ and cmd/.
// Packages of test/ may import anything.
var mayImport = map[string][]string{
	"state":              {},
	"conflict":           {"state"},
	"engine/plan":        {"conflict", "state"},
	"engine":             {"engine/plan", "conflict", "state"},
	"engine/daemon":      {"engine", "engine/plan", "conflict", "state"},
	"engine/remote":      {"engine/remote/wire", "state"},
	"engine/remote/wire": {"state"},
	"maildir":            {"state"},
	"state/store":        {"state"},
	"config":             {},
	"cmd/mailmoor":       {"*"},
}

// pure packages decide; they do no I/O and know no clock and no chance.
var pure = []string{"state", "conflict", "engine/plan"}

// pureStandard is what pure packages may use of the standard library. Of io
// they use the interfaces.
var pureStandard = []string{
	"bytes", "cmp", "crypto/sha256", "encoding/binary", "encoding/hex", "errors", "fmt", "hash", "io", "iter", "maps",
	"math", "math/bits", "slices", "sort", "strconv", "strings", "unicode", "unicode/utf8",
}

// thirdParty says where each module is used. One place for each that has a port
// keeps it replaceable. A pattern is that of path.Match on the file, and one that ends in
// "/" stands for all that lies below. The main package uses go-imap's server for
// its demonstration only.
var thirdParty = map[string][]string{
	"github.com/emersion/go-imap/v2":  {"engine/remote/", "cmd/mailmoor/demo*.go", "test/"},
	"github.com/emersion/go-message":  {"engine/remote/*.go", "cmd/mailmoor/*.go", "test/"},
	"github.com/emersion/go-sasl":     {"engine/remote/wire/*.go", "test/"},
	"github.com/emersion/go-maildir":  {"maildir/*.go"},
	"github.com/fsnotify/fsnotify":    {"maildir/*.go"},
	"modernc.org/sqlite":              {"state/store/*.go"},
	"github.com/gofrs/flock":          {"state/store/*.go"},
	"github.com/pelletier/go-toml/v2": {"config/*.go"},
	"github.com/adrg/xdg":             {"config/*.go"},
	"github.com/spf13/cobra":          {"cmd/"},
	"golang.org/x/term":               {"cmd/"},
	"golang.org/x/sync":               {"engine/*.go", "engine/daemon/*.go", "maildir/*.go", "cmd/"},
	"golang.org/x/sys":                {"maildir/*.go", "state/store/*.go", "engine/daemon/*.go", "cmd/", "test/"},
	"github.com/rs/zerolog": {
		"engine/*.go", "engine/daemon/*.go", "engine/remote/*.go", "maildir/*.go", "cmd/", "test/",
	},
}

// forTests are modules that only tests use.
var forTests = []string{
	"github.com/creack/pty", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal",
	"go.uber.org/goleak", "pgregory.net/rapid",
}

func importRules() []rule {
	return []rule{{
		name: "direction", check: eachImport(checkDirection),
		bad: map[string]string{
			"state/a.go":        `package state; import "mailmoor/engine"`,
			"conflict/a.go":     `package conflict; import "mailmoor/engine/plan"`,
			"maildir/a.go":      `package maildir; import "mailmoor/state/store"`,
			"state/store/a.go":  `package store; import "mailmoor/engine"`,
			"config/a.go":       `package config; import "mailmoor/state"`,
			"engine/a.go":       `package engine; import "mailmoor/maildir"`,
			"engine/b.go":       `package engine; import "mailmoor/test/sim"`,
			"cmd/mailmoor/a.go": `package main; import "mailmoor/test/lab"`,
			"util/a.go":         `package util; import "mailmoor/state"`,
		},
		good: map[string]string{
			"engine/a.go":        `package engine; import "mailmoor/engine/plan"`,
			"engine/remote/a.go": `package remote; import ("mailmoor/state"; "mailmoor/engine/remote/wire")`,
			"cmd/mailmoor/a.go":  `package main; import "mailmoor/maildir"`,
			"maildir/a_test.go":  `package maildir; import "mailmoor/test/conformance"`,
			"test/lab/a.go":      `package lab; import "mailmoor/engine/remote"`,
		},
	}, {
		name: "pure packages", check: eachImport(checkPure),
		bad: map[string]string{
			"state/a.go":       `package state; import "os"`,
			"conflict/a.go":    `package conflict; import "time"`,
			"engine/plan/a.go": `package plan; import "math/rand/v2"`,
			"engine/plan/b.go": `package plan; import "github.com/rs/zerolog"`,
		},
		good: map[string]string{
			"state/a.go":            `package state; import "strings"`,
			"state/store/a.go":      `package store; import "os"`,
			"conflict/a.go":         `package conflict; import "mailmoor/state"`,
			"engine/plan/a_test.go": `package plan; import "os"`,
		},
	}, {
		name: "pure packages run in a line", check: checkSequential,
		bad: map[string]string{
			"state/a.go":       `package state; func f() { go f() }`,
			"engine/plan/a.go": `package plan; var c chan int`,
		},
		good: map[string]string{
			"engine/a.go":      `package engine; func f() { go f() }`,
			"engine/plan/a.go": `package plan; func f() { f() }`,
		},
	}, {
		name: "third-party modules", check: eachImport(checkThirdParty),
		bad: map[string]string{
			"engine/a.go":           `package engine; import "github.com/emersion/go-imap/v2"`,
			"cmd/mailmoor/sync.go":  `package main; import "github.com/emersion/go-imap/v2/imapclient"`,
			"cmd/mailmoor/db.go":    `package main; import "modernc.org/sqlite"`,
			"test/sim/a.go":         `package sim; import "github.com/fsnotify/fsnotify"`,
			"engine/remote/a.go":    `package remote; import "github.com/pelletier/go-toml/v2"`,
			"maildir/a.go":          `package maildir; import "pgregory.net/rapid"`,
			"maildir/b.go":          `package maildir; import "example.org/new/module"`,
			"engine/daemon/time.go": `package daemon; import _ "github.com/emersion/go-imapper"`,
		},
		good: map[string]string{
			"engine/remote/wire/a.go": `package wire; import "github.com/emersion/go-imap/v2/internal"`,
			"cmd/mailmoor/demo_x.go":  `package main; import "github.com/emersion/go-imap/v2/imapserver"`,
			"maildir/a_test.go":       `package maildir; import ("pgregory.net/rapid"; "github.com/emersion/go-maildir")`,
			"test/lab/a.go":           `package lab; import ("net/http"; "github.com/google/go-cmp/cmp")`,
		},
	}}
}

// eachImport makes a check of a file out of one of an import, which returns
// what is wrong or "".
func eachImport(check func(s source, imported string) string) func(source) []finding {
	return func(s source) []finding {
		var found []finding
		for _, i := range s.ast.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				imported = i.Path.Value
			}
			if text := check(s, imported); text != "" {
				found = append(found, finding{i.Pos(), text})
			}
		}
		return found
	}
}

func checkDirection(s source, imported string) string {
	dir := s.dir()
	allowed, known := mayImport[dir]
	own, ours := strings.CutPrefix(imported, module)
	switch {
	case strings.HasPrefix(dir, "test/"):
		return ""
	case !known:
		return dir + " is not in the table of packages"
	case !ours || slices.Contains(allowed, own):
		return ""
	case s.isTest() && !strings.HasPrefix(own, "cmd/"):
		return ""
	case slices.Contains(allowed, "*") && !strings.HasPrefix(own, "test/"):
		return ""
	}
	return dir + " may not import " + imported
}

func checkPure(s source, imported string) string {
	if !slices.Contains(pure, s.dir()) || s.isTest() || strings.HasPrefix(imported, module) ||
		slices.Contains(pureStandard, imported) {
		return ""
	}
	return s.dir() + " is pure and may not use " + imported
}

func checkSequential(s source) []finding {
	if !slices.Contains(pure, s.dir()) || s.isTest() {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt:
			found = append(found, finding{n.Pos(), s.dir() + " is pure: no goroutines, no channels"})
		}
		return true
	})
	return found
}

func checkThirdParty(s source, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return "" // ours, or of the standard library
	}
	within := func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }
	if slices.ContainsFunc(forTests, within) {
		if s.isTest() || strings.HasPrefix(s.path, "test/") {
			return ""
		}
		return imported + " is for tests only"
	}
	for m, places := range thirdParty {
		if !within(m) {
			continue
		}
		if s.isTest() && m == "github.com/rs/zerolog" || slices.ContainsFunc(places, s.isAt) {
			return ""
		}
		return imported + " is used only in " + strings.Join(places, ", ")
	}
	return imported + " is not in the table of modules"
}

// isAt reports whether the file is at a place of the table.
func (s source) isAt(place string) bool {
	if strings.HasSuffix(place, "/") {
		return strings.HasPrefix(s.path, place)
	}
	matched, err := path.Match(place, s.path)
	return err == nil && matched
}
