package wire

import (
	"strconv"
	"strings"
)

// status is a line that tells how a command or the session fares.
// RFC 9051, section 7.1.
type status struct {
	tag  string // "*" for an untagged one
	cond string // OK, NO, BAD, BYE or PREAUTH
	code string // the response code's atom in upper case, or empty
	args string // what follows the atom within the brackets
	text string
}

// parseStatus reads a line without its end. It returns false for a line that
// is something else.
func parseStatus(line string) (status, bool) {
	tag, rest, found := strings.Cut(line, " ")
	if !found || tag == "" || tag == "+" {
		return status{}, false
	}
	cond, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	st := status{tag: tag, cond: strings.ToUpper(cond)}
	switch st.cond {
	case "OK", "NO", "BAD":
	case "BYE", "PREAUTH":
		if tag != "*" {
			return status{}, false
		}
	default:
		return status{}, false
	}
	st.text = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(st.text, "[") {
		st.cutCode()
	}
	return st, true
}

// cutCode takes the response code off the text. A bracket that nothing closes
// belongs to the text; brackets with no atom in them are left out.
func (st *status) cutCode() {
	inner := st.text[1:]
	end := strings.IndexByte(inner, ']')
	if list := strings.IndexByte(inner, '('); list >= 0 && list < end {
		// Keywords can contain brackets, at least on Gmail (2026).
		if closing := strings.Index(inner, ")]"); closing > list {
			end = closing + 1
		}
	}
	if end < 0 {
		return
	}
	code, args, _ := strings.Cut(strings.TrimSpace(inner[:end]), " ")
	if !isAtom(code) || !isASCII(code) {
		st.text = strings.TrimSpace(inner[end+1:])
		return
	}
	st.code, st.args = strings.ToUpper(code), strings.TrimSpace(args)
	st.text = strings.TrimLeft(inner[end+1:], " ")
}

// String returns the line without its end, in the form that go-imap reads.
func (st status) String() string {
	parts := []string{st.tag, st.cond}
	text := st.text
	if st.code != "" {
		parts = append(parts, "["+strings.TrimSpace(st.code+" "+st.args)+"]")
	} else {
		// A bracket here would begin a code.
		text = strings.TrimLeft(text, "[ ")
	}
	if text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// said is what the server said, without the tag.
func (st status) said() string {
	st.tag = ""
	return strings.TrimSpace(st.String())
}

// repair makes the code one that go-imap reads without giving up, by leaving
// out what is malformed. keep says which capabilities may be seen. It returns
// a note when it left something out.
func (st *status) repair(list func(announced string) string) (note string) {
	before := st.said()
	sane := true
	switch st.code {
	case "":
		return ""
	case "CAPABILITY":
		st.args = list(st.args)
		return ""
	case "PERMANENTFLAGS":
		flags, ok := strings.CutPrefix(st.args, "(")
		if sane = ok; sane {
			st.args = "(" + repairFlags(strings.TrimSuffix(flags, ")")) + ")"
		}
	case "UIDNEXT", "UNSEEN":
		sane = isNumber(st.args, 32)
	case "UIDVALIDITY":
		st.args, sane = validity(st.args)
	case "HIGHESTMODSEQ":
		sane = isNumber(st.args, 64)
	case "NOMODSEQ":
		st.args = ""
	case "APPENDUID", "COPYUID":
		args := strings.Fields(st.args)
		if len(args) > 0 {
			args[0], sane = validity(args[0])
		}
		sane = sane && isUIDCode(st.code, args)
		st.args = strings.Join(args, " ")
	default:
		// Of all other codes go-imap skips what follows the atom up to the
		// first bracket.
		st.args = strings.ReplaceAll(st.args, "]", "")
	}
	if sane {
		return ""
	}
	st.code, st.args = "", ""
	return "a malformed response code was left out: " + before
}

// isUIDCode checks the arguments of APPENDUID and COPYUID behind the UIDVALIDITY.
// RFC 4315, section 3.
// go-imap sorts the two sets of a COPYUID, which pairs them rightly only if
// they ascend already: it is better to know no UID than a wrong one.
func isUIDCode(code string, args []string) bool {
	if code == "APPENDUID" {
		return len(args) == 2 && isNumber(args[1], 32)
	}
	return len(args) == 3 && isAscendingSet(args[1]) && isAscendingSet(args[2])
}

// isAscendingSet reports whether text is a set of numbers and ranges, without
// "*", in ascending order.
func isAscendingSet(text string) bool {
	var last uint64
	return eachRange(text, func(from, to uint64) bool {
		ascends := from > last && to >= from
		last = to
		return ascends
	})
}

// isNumberSet reports whether text is a set of numbers and ranges, without "*" and 0.
// RFC 9051, section 9, sequence-set.
func isNumberSet(text string) bool {
	return eachRange(text, func(from, to uint64) bool { return from > 0 && to > 0 })
}

// eachRange calls sane for the ranges of a set until it returns false. It returns
// false then, and for what is no set.
func eachRange(text string, sane func(from, to uint64) bool) bool {
	for part := range strings.SplitSeq(text, ",") {
		begin, end, isRange := strings.Cut(part, ":")
		if !isRange {
			end = begin
		}
		from, errFrom := strconv.ParseUint(begin, 10, 32)
		to, errTo := strconv.ParseUint(end, 10, 32)
		if errFrom != nil || errTo != nil || !sane(from, to) {
			return false
		}
	}
	return true
}
