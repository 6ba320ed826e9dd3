package config

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// place is a line and a column, both from 1, the column in characters.
type place struct{ line, column int }

// document is a parsed TOML file: its values, where each key stands, and the
// order in which the keys appear.
type document struct {
	file   string
	data   []byte
	lines  []int // offset of the beginning of each line
	values map[string]any
	places map[string]place // by path
	order  []string         // paths in the order of the file
}

// path joins key parts so that no two different keys give the same string.
func path(parts ...string) string {
	quoted := make([]string, 0, len(parts))
	for _, p := range parts {
		if !isBare(p) {
			p = fmt.Sprintf("%q", p)
		}
		quoted = append(quoted, p)
	}
	return strings.Join(quoted, ".")
}

// isBare reports whether a key part needs no quotes in TOML.
func isBare(part string) bool {
	for _, r := range part {
		if !isNameRune(r) || r == '.' {
			return false
		}
	}
	return part != ""
}

// parseDocument parses data. The byte order mark that some editors write is
// no part of TOML and is dropped.
func parseDocument(file string, data []byte) (*document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d := &document{file: file, data: data, lines: []int{0}, places: map[string]place{}}
	for i, c := range data {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if err := toml.Unmarshal(data, &d.values); err != nil {
		return nil, report([]Problem{d.syntaxProblem(err)})
	}
	d.walk()
	return d, nil
}

// syntaxProblem puts a refusal of the TOML library into a Problem. Only its
// short message is used: the long one repeats lines of the file, which may
// hold a password.
func (d *document) syntaxProblem(err error) Problem {
	p := Problem{File: d.file, Line: 1, Column: 1}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		row, column := syntax.Position()
		at := d.at(d.lines[min(row, len(d.lines))-1] + column - 1)
		p.Line, p.Column = at.line, at.column
	}
	p.Text = "this is not TOML: " + strings.TrimPrefix(err.Error(), "toml: ")
	return p
}

// at converts an offset into a place.
func (d *document) at(offset int) place {
	offset = max(0, min(offset, len(d.data)))
	line := sort.SearchInts(d.lines, offset+1)
	begin := d.lines[line-1]
	return place{line: line, column: utf8.RuneCount(d.data[begin:offset]) + 1}
}

// walk notes where each key stands. The values come from the stable part of the
// library; a change of this one could cost positions, nothing else.
func (d *document) walk() {
	var parser unstable.Parser
	parser.Reset(d.data)
	var table []string
	for parser.NextExpression() {
		switch e := parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.note(nil, e.Key())
		case unstable.KeyValue:
			d.noteValue(table, e)
		default: // comments do not reach us, and nothing else stands alone
		}
	}
}

// note records the key below table and returns its whole path.
func (d *document) note(table []string, key unstable.Iterator) []string {
	parts := append([]string(nil), table...)
	for key.Next() {
		n := key.Node()
		parts = append(parts, string(n.Data))
		p := path(parts...)
		if _, known := d.places[p]; !known {
			d.places[p] = d.at(int(n.Raw.Offset))
			d.order = append(d.order, p)
		}
	}
	return parts
}

// noteValue records a key with a value, and the keys of an inline table.
func (d *document) noteValue(table []string, n *unstable.Node) {
	parts := d.note(table, n.Key())
	if n.Value().Kind != unstable.InlineTable {
		return
	}
	children := n.Value().Children()
	for children.Next() {
		if c := children.Node(); c.Kind == unstable.KeyValue {
			d.noteValue(parts, c)
		}
	}
}

// problem returns a Problem at the place of the key, or of its nearest parent
// that the file shows.
func (d *document) problem(text string, parts ...string) Problem {
	shown := make([]string, 0, len(parts))
	for _, part := range parts {
		shown = append(shown, clip(part))
	}
	p := Problem{File: d.file, Key: path(shown...), Text: text}
	for n := len(parts); n > 0; n-- {
		if at, known := d.places[path(parts[:n]...)]; known {
			p.Line, p.Column = at.line, at.column
			break
		}
	}
	return p
}
