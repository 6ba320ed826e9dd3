package tidy_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unfinished are words for work that was put off: it belongs into an issue, or
// is done.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"FIX" + "ME", "XX" + "X", "TO" + "DO", "HA" + "CK"}, "|") + `)\b`)

// sides are names for the two sides that say nothing about which is which.
var sides = regexp.MustCompile(`^([sS]rc|[dD]st)([A-Z].*)?$`)

// noise opens an error that already says that something went wrong.
var noise = regexp.MustCompile(`(?i)^(failed|unable|could not|cannot) to\b|^(failed|unable) `)

func wordRules() []rule {
	return []rule{{
		name: "nothing is put off", check: checkUnfinished,
		bad: map[string]string{
			"a/a.go": "package a // " + "TO" + "DO: later",
			"a/b.go": "package a\n/* " + "XX" + "X */",
		},
		good: map[string]string{"a/a.go": "package a // TODOS are things\nvar s = \"" + "TO" + "DO\""},
	}, {
		name: "exported names are explained", check: checkDocs,
		bad: map[string]string{
			"a/f.go": "package a; func F() {}",
			"a/t.go": "package a; type T int",
			"a/m.go": "package a; type t int; func (t) M() {}\n// T.\ntype T int; func (T) M() {}",
			"a/v.go": "package a; var V = 1",
			"a/c.go": "package a; const (\nA = 1 // one\nB = 2\n)",
			"a/i.go": "package a\n// I does.\ntype I interface { M() }",
		},
		good: map[string]string{
			"a/f.go":      "package a\n// F does.\nfunc F() {}\nfunc f() {}",
			"a/c.go":      "package a\n// The numbers.\nconst (\nA = 1\nB = 2\n)",
			"a/d.go":      "package a\nconst (\nA = 1 // one\n// B is two.\nB = 2\n)",
			"a/m.go":      "package a; type t int; func (t) M() {}",
			"a/i.go":      "package a\n// I does.\ntype I interface { io.Closer\n// M does.\nM() }",
			"a/a_test.go": "package a; func TestF() {}",
			"cmd/x/x.go":  "package main; func F() {}",
		},
	}, {
		name: "no init", check: checkInit,
		bad:  map[string]string{"a/a.go": "package a; func init() {}"},
		good: map[string]string{"a/a.go": "package a; type t int; func (t) init() {}"},
	}, {
		name: "no panic", check: checkPanic,
		bad:  map[string]string{"a/a.go": "package a; func f() { panic(1) }"},
		good: map[string]string{"a/a_test.go": "package a; func f() { panic(1) }", "test/a/a.go": "package a; func f() { panic(1) }"},
	}, {
		name: "the sides are local and remote", check: checkSides,
		bad:  map[string]string{"a/a.go": "package a; func f(src, b int) {}", "a/b.go": "package a; var dstPath int"},
		good: map[string]string{"a/a.go": "package a; var source, local, srcs, nearest int"},
	}, {
		name: "errors name what was done", check: checkNoise,
		bad:  map[string]string{"a/a.go": "package a; var e = fmt.Errorf(\"failed to open: %w\", e)"},
		good: map[string]string{"a/a.go": "package a; var e = fmt.Errorf(\"open %s: %w\", f, e)"},
	}, {
		name: "what the log says to people is a sentence", check: checkLog,
		bad: map[string]string{
			"a/a.go": "package a; func f() { log.Warn().Str(\"text\", t).Msg(\"the server sends an alert\") }",
			"a/b.go": "package a; func f() { o.Log.WithLevel(l).Str(\"mailbox\", m).Err(e).Int(\"n\", n).Msg(\"done\") }",
		},
		good: map[string]string{
			"a/a.go":      "package a; func f() { log.Warn().Str(\"mailbox\", m).Err(e).Msg(\"it cannot be read\") }",
			"a/b.go":      "package a; func f() { log.Debug().Int(\"n\", n).Msg(\"done\") }",
			"a/a_test.go": "package a; func f() { log.Info().Int(\"n\", n).Msg(\"done\") }",
		},
	}, {
		name: "one message is no messages", check: checkCounts,
		bad: map[string]string{
			"a/a.go": "package a; var t = state.Textf(\"%d messages\", n)",
			"a/b.go": "package a; var e = fmt.Errorf(\"%s: all %d new mailboxes: %w\", s, n, e)",
		},
		good: map[string]string{
			"a/a.go":      "package a; var e = fmt.Errorf(\"more than %d messages, of at most %d files\", most, n)",
			"a/b.go":      "package a; var t = state.Textf(\"%s are here\", state.Count(n, \"message\"))",
			"a/a_test.go": "package a; var t = fmt.Sprintf(\"%d messages\", n)",
		},
	}, {
		name: "words to the user are made where they are made printable", check: checkText,
		bad: map[string]string{
			"a/a.go":             "package a; var t = state.Text(name)",
			"a/b.go":             "package a; var t = state.Text(\"of \" + name)",
			"a/c.go":             "package a; var t = state.Textf(format, 1)",
			"a/d.go":             "package a; var t = state.Textf(\"of \" + name)",
			"cmd/mailmoor/a.go":  "package main; func f(u *ui) { u.result(text) }",
			"cmd/mailmoor/b.go":  "package main; func f(u *ui) { put(u.stdout, text) }",
			"cmd/mailmoor/ui.go": "package main; func f(u *ui) { u.result(text) }",
		},
		good: map[string]string{
			"a/a.go":             "package a; var t = state.Text(\"a constant\")",
			"a/b.go":             "package a; var t = state.Textf(\"of %s and \"+\"%s\", a, b)",
			"a/c.go":             "package a; func f(format string, args ...any) state.Text { return state.Textf(format, args...) }",
			"a/a_test.go":        "package a; var t = state.Text(name)",
			"test/a/a.go":        "package a; var t = state.Text(name)",
			"state/text.go":      "package state; func f(s string) Text { return Text(s) }",
			"cmd/mailmoor/a.go":  "package main; func f(u *ui) { u.result(\"%s\", text) }",
			"cmd/mailmoor/ui.go": "package main; func f(u *ui) { put(u.stdout, text) }",
		},
	}}
}

// checkLog finds events of the log that everybody sees and that carry fields, which would
// stand behind the sentence as "outcome 0; uid 7". The level debug may have them.
func checkLog(s source) []finding {
	if s.isTest() || strings.HasPrefix(s.path, "test/") {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		message, ok := n.(*ast.CallExpr)
		if !ok || method(message) != "Msg" {
			return true
		}
		shown, fields := false, false
		for call := chained(message); call != nil; call = chained(call) {
			switch method(call) {
			case "Info", "Warn", "Error", "WithLevel":
				shown = true
			case "Err":
			case "Str":
				name, is := call.Args[0].(*ast.BasicLit)
				fields = fields || !is || name.Value != `"mailbox"` && name.Value != `"account"`
			default:
				fields = true
			}
		}
		if shown && fields {
			found = append(found, finding{message.Pos(), "put it into the sentence"})
		}
		return true
	})
	return found
}

// method returns the name of the method that is called, chained the call on whose result it is.
func method(call *ast.CallExpr) string {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		return f.Sel.Name
	}
	return ""
}

func chained(call *ast.CallExpr) *ast.CallExpr {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		if on, ok := f.X.(*ast.CallExpr); ok {
			return on
		}
	}
	return nil
}

// counted is a number that may be one, with a noun that is always in the plural. A limit is
// never one.
var counted = regexp.MustCompile(`(?:(\w+ \w+) )?%d (?:\w+ )?(?:messages|mailboxes|folders|files|holds|problems|records|transfers|changes|intents)\b`)

// checkCounts finds numbers with a noun that is wrong for one of it.
func checkCounts(s source) []finding {
	if s.isTest() || strings.HasPrefix(s.path, "test/") {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		text, ok := n.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			return true
		}
		for _, match := range counted.FindAllStringSubmatch(text.Value, -1) {
			if match[1] != "more than" && match[1] != "at most" && match[1] != "of at most" {
				found = append(found, finding{text.Pos(), "a number with a plural: use state.Count"})
			}
		}
		return true
	})
	return found
}

// checkText finds words to the user that did not pass what makes foreign text printable: a
// conversion to state.Text, a format that is put together, or output beside it.
func checkText(s source) []finding {
	if s.isTest() || strings.HasPrefix(s.path, "test/") || s.path == "state/text.go" {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || isLiteral(call.Args[0]) {
			return true
		}
		switch name := called(call); {
		case name == "state.Text", name == "Text" && s.dir() == "state":
			found = append(found, finding{call.Pos(), "a string becomes state.Text: use Textf, TextOf or Foreign"})
		case (strings.HasSuffix(name, ".Textf") || name == "Textf" || name == "u.result" || strings.HasSuffix(name, ".ui.result")) &&
			call.Ellipsis == token.NoPos:
			found = append(found, finding{call.Pos(), "the format is not written here"})
		case name == "put" && s.path != "cmd/mailmoor/ui.go" && s.path != "cmd/mailmoor/log.go":
			found = append(found, finding{call.Pos(), "words are printed by the ui"})
		}
		return true
	})
	return found
}

// isLiteral reports whether e is a string as it is written, or several of them.
func isLiteral(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return isLiteral(e.X) && isLiteral(e.Y)
	}
	return false
}

// called returns the name of the function that is called, with what stands before it.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		switch x := f.X.(type) {
		case *ast.Ident:
			return x.Name + "." + f.Sel.Name
		case *ast.SelectorExpr:
			return x.Sel.Name + "." + f.Sel.Name
		}
	}
	return ""
}

func checkUnfinished(s source) []finding {
	var found []finding
	for _, group := range s.ast.Comments {
		for _, c := range group.List {
			if word := unfinished.FindString(c.Text); word != "" {
				found = append(found, finding{c.Pos(), "the comment says " + word})
			}
		}
	}
	return found
}

// checkDocs finds exported names without a comment. Nobody imports the main
// package or a test.
func checkDocs(s source) []finding {
	if s.isTest() || s.ast.Name.Name == "main" {
		return nil
	}
	var found []finding
	missing := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		documented := slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil })
		if name.IsExported() && !documented {
			found = append(found, finding{name.Pos(), name.Name + " has no comment"})
		}
	}
	for _, d := range s.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
				missing(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				checkSpec(spec, d.Doc, missing)
			}
		}
	}
	return found
}

// checkSpec passes each name that the spec declares to missing, with the
// comments that may explain it.
func checkSpec(spec ast.Spec, group *ast.CommentGroup, missing func(*ast.Ident, ...*ast.CommentGroup)) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			missing(name, group, spec.Doc, spec.Comment)
		}
	case *ast.TypeSpec:
		missing(spec.Name, group, spec.Doc)
		i, ok := spec.Type.(*ast.InterfaceType)
		if !ok || !spec.Name.IsExported() {
			return
		}
		for _, m := range i.Methods.List {
			for _, name := range m.Names {
				missing(name, m.Doc, m.Comment)
			}
		}
	}
}

// receiver returns the name of the type of a receiver.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func checkInit(s source) []finding {
	var found []finding
	for _, d := range s.ast.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			found = append(found, finding{f.Pos(), "init runs behind everybody's back"})
		}
	}
	return found
}

func checkPanic(s source) []finding {
	if s.isTest() || strings.HasPrefix(s.path, "test/") {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
			found = append(found, finding{n.Pos(), "return an error instead of a panic"})
		}
		return true
	})
	return found
}

func checkSides(s source) []finding {
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && sides.MatchString(name.Name) {
			found = append(found, finding{n.Pos(), name.Name + " does not say which side it is"})
		}
		return true
	})
	return found
}

func checkNoise(s source) []finding {
	if s.isTest() {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(literal.Value); err == nil && noise.MatchString(text) {
			found = append(found, finding{n.Pos(), "say the verb and the object: " + literal.Value})
		}
		return true
	})
	return found
}
