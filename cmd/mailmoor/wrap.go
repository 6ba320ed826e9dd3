package main

import (
	"strings"
	"unicode"
)

// broken returns a line in pieces of at most width columns, broken between words; all but
// the first are indented. A word that is longer than a line stays whole, so that it can be
// copied. With width 0, and where a terminal is too narrow for that, the line is one piece.
func broken(line string, width, indent int) []string {
	const wordsMin = 20 // fewer columns are no help
	if width == 0 || columnsIn(line) <= width || width-indent < wordsMin {
		return []string{line}
	}
	var pieces []string
	for columnsIn(line) > width {
		at := breakAt(line, width)
		if at == 0 {
			break
		}
		pieces = append(pieces, line[:at])
		line = strings.Repeat(" ", indent) + strings.TrimLeft(line[at:], " ")
	}
	return append(pieces, line)
}

// brokenHelp breaks the lines of a help text. What is too long goes on below the last column
// of its line, so that a table stays one.
func brokenHelp(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		start := len(line) - len(strings.TrimLeft(line, " "))
		indent := start
		if gap := strings.LastIndex(line, "  "); gap > start {
			indent = columnsIn(line[:gap+2])
		}
		for _, piece := range broken(line, width, indent) {
			b.WriteString(piece + "\n")
		}
	}
	return b.String()
}

// breakAt returns where the line is broken: at the last space that fits, or else at the
// first one; 0 when there is none behind its indentation.
func breakAt(line string, width int) int {
	start := len(line) - len(strings.TrimLeft(line, " "))
	at, columns := 0, 0
	for i, r := range line {
		columns += runeColumns(r)
		if r != ' ' || i < start {
			continue
		}
		if columns > width+1 && at > 0 {
			break
		}
		if at = i; columns > width+1 {
			break
		}
	}
	return at
}

// columnsIn returns how many columns a printable text takes on a terminal.
func columnsIn(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

// wide are the characters that take two columns: those of East Asia and the emoji, as
// far as blocks of them tell. (Unicode Standard Annex 11)
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1},
		{Lo: 0x2e80, Hi: 0x303e, Stride: 1},
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1},
		{Lo: 0xa960, Hi: 0xa97f, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
		{Lo: 0xff00, Hi: 0xff60, Stride: 1},
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1},
		{Lo: 0x1f680, Hi: 0x1f6ff, Stride: 1},
		{Lo: 0x1f900, Hi: 0x1f9ff, Stride: 1},
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1},
	},
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
