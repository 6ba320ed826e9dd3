package wire

import (
	"strings"
)

// repairData repairs an untagged response that is neither a status nor a FETCH.
// It is given without its end and with its literals in it. An empty result
// means that go-imap must not see it; the note says what was done, if that is
// worth remembering. list reduces a list of capabilities to what may be seen.
func repairData(text string, list func(announced string) string) (repaired, note string) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(text, "* "), " ")
	kind = strings.ToUpper(kind)
	rest = strings.TrimLeft(rest, " ")
	switch kind {
	case "CAPABILITY":
		return "* CAPABILITY " + list(rest), ""
	case "LIST":
		return prefixed("* LIST ")(repairList(rest))
	case "STATUS":
		return prefixed("* STATUS ")(repairStatusData(rest))
	case "FLAGS":
		inner, ok := strings.CutPrefix(rest, "(")
		if !ok {
			return "", "a FLAGS response was left out: " + text
		}
		return "* FLAGS (" + repairFlags(strings.TrimSuffix(inner, ")")) + ")", ""
	case "ESEARCH":
		text := strings.TrimRight("* ESEARCH "+capitals(squeezed(rest)), " ")
		if _, results, found := strings.Cut(text, " ALL "); found {
			if set, _, _ := strings.Cut(results, " "); !isNumberSet(set) {
				return "", "a list of search results was left out: " + cut(text, noteBytesMax)
			}
		}
		return text, ""
	case "SEARCH":
		// These may be very long, and what does not parse in them must not be
		// guessed at: go-imap gives the connection up over it.
		return strings.TrimRight("* "+kind+" "+squeezed(rest), " "), ""
	case "ID", "ENABLED":
		return "", "" // the answers to commands that go-imap did not send
	case "NAMESPACE", "QUOTA", "QUOTAROOT", "MYRIGHTS", "ACL":
		return "* " + kind + " " + rest, ""
	}
	if kind != "" && strings.Trim(kind, "0123456789") == "" {
		return repairNumbered(text, kind, rest)
	}
	return "", "a response was left out: " + text
}

func prefixed(prefix string) func(repaired, note string) (string, string) {
	return func(repaired, note string) (string, string) {
		if repaired == "" {
			return "", note
		}
		return prefix + repaired, note
	}
}

// repairNumbered repairs the responses that begin with a number.
func repairNumbered(text, number, rest string) (repaired, note string) {
	verb, _, _ := strings.Cut(rest, " ")
	switch verb = strings.ToUpper(verb); verb {
	case "EXISTS", "EXPUNGE":
		// A number that is too large stays and ends the connection: a message
		// count must never be wrong.
		return "* " + number + " " + verb, ""
	case "RECENT":
		return "", ""
	}
	return "", "a response was left out: " + text
}

// squeezed returns text with single spaces between its words. Texts that need
// nothing done, which is all but a few, are not copied.
func squeezed(text string) string {
	if !strings.Contains(text, "  ") {
		return text
	}
	return strings.Join(strings.Fields(text), " ")
}

// capitals returns text in capitals as far as it does not stand in quotes: go-imap
// knows the words of an ESEARCH response only in that form, and without its word
// UID the numbers would be taken for something else.
func capitals(text string) string {
	inQuotes := false
	small := func(c byte) bool {
		inQuotes = inQuotes != (c == '"')
		return !inQuotes && 'a' <= c && c <= 'z'
	}
	for i := range len(text) {
		if !small(text[i]) {
			continue
		}
		inQuotes = false
		b := []byte(text)
		for j, c := range b {
			if small(c) {
				b[j] = c - 'a' + 'A'
			}
		}
		return string(b)
	}
	return text
}
