package tidy_test

import (
	"fmt"
	"go/ast"
	"strings"
)

const (
	functionLinesMax = 70
	fileLinesMax     = 400
	methodsMax       = 5
)

func sizeRules() []rule {
	body := func(lines int) string { return strings.Repeat("\n", lines-2) }
	table := "package a\nfunc f() {" + body(10) + "\nt := []int{" + body(100) + "\n} }"
	return []rule{{
		name: "functions fit a screen", check: checkFunctions,
		bad: map[string]string{
			"a/a.go":      "package a\nfunc f() {" + body(functionLinesMax+1) + "\n}",
			"a/method.go": "package a\nfunc (t T) f() {" + body(functionLinesMax+1) + "\n}",
			"a/a_test.go": "package a\nfunc f() {" + body(functionLinesMax+1) + "\n}",
			"a/table.go":  table,
		},
		good: map[string]string{
			"a/a.go":          "package a\nfunc f() {" + body(functionLinesMax) + "\n}",
			"a/table_test.go": table,
		},
	}, {
		name: "files are short", check: checkFile,
		bad:  map[string]string{"a/a.go": "package a" + strings.Repeat("\n", fileLinesMax) + "// end"},
		good: map[string]string{"a/a.go": "package a" + strings.Repeat("\n", fileLinesMax)},
	}, {
		name: "interfaces are small", check: checkInterfaces,
		bad: map[string]string{"a/a.go": "package a; type I interface { A(); B(); C(); D(); E(); F() }"},
		good: map[string]string{
			"a/a.go":      "package a; type I interface { A(); B(); C(); D(); E(); J }",
			"test/a/a.go": "package a; type I interface { A(); B(); C(); D(); E(); F() }",
		},
	}}
}

// checkFunctions counts a function's lines. In a test the tables are left out:
// they are read line by line.
func checkFunctions(s source) []finding {
	var found []finding
	for _, d := range s.ast.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := s.lines(f) + 1
		if s.isTest() {
			ast.Inspect(f, func(n ast.Node) bool {
				table, ok := n.(*ast.CompositeLit)
				if ok {
					lines -= s.lines(table)
				}
				return !ok
			})
		}
		if lines > functionLinesMax {
			found = append(found, finding{f.Pos(), fmt.Sprintf("%s has %d lines, at most %d fit a screen",
				f.Name.Name, lines, functionLinesMax)})
		}
	}
	return found
}

// lines returns how many lines the node's end is below its beginning.
func (s source) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line
}

func checkFile(s source) []finding {
	lines := strings.Count(strings.TrimSuffix(s.text, "\n"), "\n") + 1
	if lines <= fileLinesMax {
		return nil
	}
	return []finding{{s.ast.Package, fmt.Sprintf("the file has %d lines, at most %d are allowed", lines, fileLinesMax)}}
}

// checkInterfaces counts methods. What a test asks of a double is up to the test.
func checkInterfaces(s source) []finding {
	if s.isTest() || strings.HasPrefix(s.path, "test/") {
		return nil
	}
	var found []finding
	ast.Inspect(s.ast, func(n ast.Node) bool {
		i, ok := n.(*ast.InterfaceType)
		if !ok {
			return true
		}
		methods := 0
		for _, m := range i.Methods.List {
			methods += len(m.Names) // an embedded interface has none
		}
		if methods > methodsMax {
			found = append(found, finding{i.Pos(), fmt.Sprintf("an interface of %d methods, at most %d are allowed",
				methods, methodsMax)})
		}
		return true
	})
	return found
}
