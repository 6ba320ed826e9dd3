package wire

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// NoDate stands for an INTERNALDATE that the server did not give or that is no
// date: 1 January 1970, 00:00 UTC.
const NoDate = `"01-Jan-1970 00:00:00 +0000"`

var errMalformedFetch = errors.New("malformed FETCH response")

// fetchRepair repairs a FETCH response part by part: a part ends where the
// content of a message begins, which passes by without being kept.
type fetchRepair struct {
	begun bool
	kept  int // items that were passed on
	lost  []string
}

// part repairs the next part. open says that it ends before a message's
// content, otherwise it is the last. The result is empty when nothing of the
// response is left.
func (f *fetchRepair) part(text string, open bool) (string, error) {
	p := scanner{text}
	if open {
		p.s = strings.TrimSuffix(text, "~") // literal8, which go-imap takes for a plain one
	}
	var b strings.Builder
	if !f.begun {
		f.begun = true
		head, rest, found := strings.Cut(p.s, "(")
		words := strings.Fields(head)
		if !found || len(words) != 3 || !isNumber(words[1], 32) {
			return "", errMalformedFetch
		}
		b.WriteString(strings.Join(words, " ") + " (")
		p.s = rest
	}
	for {
		p.skipSpaces()
		if !open && p.accept(')') {
			if f.kept == 0 && len(f.lost) > 0 {
				return "", nil
			}
			return b.String() + ")", nil
		}
		item, ended, err := f.item(&p)
		switch {
		case err != nil:
			return "", err
		case ended && !open:
			return "", errMalformedFetch
		case item == "":
			continue
		}
		if f.kept++; f.kept > 1 {
			b.WriteByte(' ')
		}
		b.WriteString(item)
		if ended {
			return b.String(), nil
		}
	}
}

// item reads the next item and returns what go-imap may see of it. It ends
// when the text ends behind the item's name.
func (f *fetchRepair) item(p *scanner) (item string, ended bool, err error) {
	label := p.until(" [()\"{")
	name := strings.ToUpper(label)
	if name == "" {
		return "", false, errMalformedFetch
	}
	if p.s != "" && p.s[0] == '[' {
		section := p.until("]")
		if !p.accept(']') {
			return "", false, errMalformedFetch
		}
		label += section + "]" + p.until(" (\"{")
	}
	p.skipSpaces()
	if p.s == "" {
		return label + " ", true, nil
	}
	if name == "FLAGS" && p.accept('(') {
		flags := p.until(")")
		if !p.accept(')') {
			return "", false, errMalformedFetch
		}
		return "FLAGS (" + repairFlags(flags) + ")", false, nil
	}
	value, ok := p.value()
	if !ok {
		return "", false, errMalformedFetch
	}
	value, ok = repairItem(name, strings.Contains(label, "["), value)
	if !ok {
		f.lost = append(f.lost, label)
		return "", false, nil
	}
	return label + " " + value, false, nil
}

// repairItem returns the value of an item as go-imap can read it, and false
// for an item that it cannot.
func repairItem(name string, section bool, value string) (string, bool) {
	switch name {
	case "UID":
		return value, isNumber(value, 32)
	case "MODSEQ":
		inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(value, "("), ")"))
		return "(" + inner + ")", isNumber(inner, 64)
	case "INTERNALDATE":
		date, err := time.Parse("_2-Jan-2006 15:04:05 -0700", unquoted(value))
		if err != nil || date.IsZero() {
			return NoDate, true
		}
		return `"` + unquoted(value) + `"`, true // it may have come as a literal
	case "RFC822.SIZE":
		if !isNumber(value, 63) {
			return "0", true
		}
		return value, true
	case "BINARY.SIZE":
		return value, section && isNumber(value, 32)
	case "BODY", "BINARY":
		if section {
			return repairString(value)
		}
		return value, name == "BODY" && value[0] == '('
	case "ENVELOPE", "BODYSTRUCTURE":
		return value, value[0] == '('
	}
	return "", false
}

// repairString returns a string or NIL, and false for anything else.
func repairString(value string) (string, bool) {
	if strings.EqualFold(value, "NIL") {
		return "NIL", true
	}
	return value, value[0] == '"' || value[0] == '{'
}

// bodyAhead reports whether a line that announces a literal, given without the
// announcement, does so for the content of a message, which must not be kept
// in memory.
func bodyAhead(head string) bool {
	head, spaced := strings.CutSuffix(strings.TrimSuffix(head, "~"), " ")
	if !spaced {
		return false
	}
	if origin := strings.LastIndexByte(head, '<'); origin >= 0 && strings.HasSuffix(head, ">") {
		if _, err := strconv.ParseUint(head[origin+1:len(head)-1], 10, 64); err != nil {
			return false
		}
		head = head[:origin]
	}
	head, closed := strings.CutSuffix(head, "]")
	open := strings.LastIndexByte(head, '[')
	if !closed || open < 0 || strings.ContainsAny(head[open:], "]") {
		return false
	}
	start := strings.LastIndexAny(head[:open], " (")
	name := strings.ToUpper(head[start+1 : open])
	return start >= 0 && (name == "BODY" || name == "BINARY")
}
