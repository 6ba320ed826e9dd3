package lab

import (
	"regexp"
	"slices"
	"strings"
)

// hiding is what a set of capabilities hides; it holds no state.
type hiding struct {
	rules []rule
	// noNonSync refuses literals that are not announced first.
	noNonSync bool
}

// refuses reports whether a line of the command, the first without tag and
// name or one that follows a literal, must be answered BAD.
func (h hiding) refuses(name, args string) bool {
	if at, found := literalAt(args); found && at.nonSync && h.noNonSync {
		return true
	}
	for _, rule := range h.rules {
		if slices.Contains(rule.commands, name) {
			return true
		}
		if argument := rule.arguments[name]; argument != nil && argument.MatchString(unquoted(args)) {
			return true
		}
	}
	return false
}

// command returns the line that is sent instead of this one. ENABLE does not
// fail for what a server does not know, it ignores it. RFC 5161, section 3.1.
func (h hiding) command(name, line string) string {
	if name != "ENABLE" {
		return line
	}
	words := strings.Fields(line)
	for i := 2; i < len(words); i++ {
		if h.hides(words[i]) {
			words[i] = "XMASKED"
		}
	}
	return strings.Join(words, " ")
}

func (h hiding) hides(capability string) bool {
	for _, rule := range h.rules {
		if slices.Contains(rule.names, strings.ToUpper(capability)) {
			return true
		}
	}
	return false
}

// capabilities returns the list without those that are hidden.
func (h hiding) capabilities(list string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(list), h.hides), " ")
}

var codePattern = regexp.MustCompile(`^(\S+ \S+) \[([^ \]]+) ?([^\]]*)\] ?(.*)$`)

// status returns a status response as a lesser server would send it, and
// whether it would send it at all.
func (h hiding) status(line string) (string, bool) {
	match := codePattern.FindStringSubmatch(line)
	if match == nil {
		return line, true
	}
	start, code, text := match[1], strings.ToUpper(match[2]), match[4]
	if code == "CAPABILITY" {
		return start + " [CAPABILITY " + h.capabilities(match[3]) + "] " + text, true
	}
	for _, rule := range h.rules {
		if slices.Contains(rule.codes, code) {
			return start + " " + text, !strings.HasPrefix(start, "* ")
		}
	}
	return line, true
}

// drops reports whether an untagged response of the type is never sent.
func (h hiding) drops(kind string) bool {
	return slices.ContainsFunc(h.rules, func(r rule) bool { return slices.Contains(r.answers, kind) })
}

// answer returns a line of an untagged response, the first or one that follows
// a literal, as a lesser server would send it.
func (h hiding) answer(kind, line string) string {
	if list, found := strings.CutPrefix(line, "* CAPABILITY "); found {
		return "* CAPABILITY " + h.capabilities(list)
	}
	for _, rule := range h.rules {
		if item := rule.items[kind]; item != nil {
			line = removeUnquoted(line, item)
		}
	}
	return line
}
