package lab

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// lineMax limits a line of the protocol, literals not counted, in bytes.
const lineMax = 1 << 20

// readLine reads a line without its CRLF.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) < lineMax:
			continue
		case err != nil:
			return "", fmt.Errorf("after %d bytes of a line: %w", len(line), err)
		}
		return strings.TrimRight(string(line), "\r\n"), nil
	}
}

// literal is the announcement of one at the end of a line. RFC 9051, section
// 4.3; RFC 7888.
type literal struct {
	size    int64
	nonSync bool // the sender does not wait for "+"
}

var literalPattern = regexp.MustCompile(`~?\{(\d{1,12})(\+?)\}$`)

// literalAt returns the literal that the line announces.
func literalAt(line string) (literal, bool) {
	match := literalPattern.FindStringSubmatch(line)
	if match == nil {
		return literal{}, false
	}
	size, err := strconv.ParseInt(match[1], 10, 64)
	return literal{size, match[2] == "+"}, err == nil
}

// splitCommand splits the first line of a command. A UID command has the two
// words as its name, in capitals.
func splitCommand(line string) (tag, name, args string) {
	tag, rest, _ := strings.Cut(line, " ")
	name, args, _ = strings.Cut(rest, " ")
	name = strings.ToUpper(name)
	if name == "UID" {
		second, rest, _ := strings.Cut(args, " ")
		return tag, "UID " + strings.ToUpper(second), rest
	}
	return tag, name, args
}

// answerType returns the type of an untagged response in capitals: FETCH for
// "* 5 FETCH (".
func answerType(line string) string {
	words := strings.SplitN(line, " ", 4)
	if len(words) < 2 {
		return ""
	}
	if _, err := strconv.ParseUint(words[1], 10, 32); err == nil && len(words) > 2 {
		return strings.ToUpper(words[2])
	}
	return strings.ToUpper(words[1])
}

// isStatus reports whether the line is a status response, tagged or not, whose
// text says nothing about literals.
func isStatus(line string) bool {
	_, rest, _ := strings.Cut(line, " ")
	word, _, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(word) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return false
}

var quotedPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// unquoted returns the line with the inside of quoted strings blanked out, at
// equal length.
func unquoted(line string) string {
	return quotedPattern.ReplaceAllStringFunc(line, func(s string) string {
		return `"` + strings.Repeat("_", len(s)-2) + `"`
	})
}

// removeUnquoted removes what the pattern matches outside of quoted strings.
func removeUnquoted(line string, pattern *regexp.Regexp) string {
	var b strings.Builder
	end := 0
	for _, match := range pattern.FindAllStringIndex(unquoted(line), -1) {
		b.WriteString(line[end:match[0]])
		end = match[1]
	}
	b.WriteString(line[end:])
	return b.String()
}
