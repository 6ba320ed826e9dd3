package quirk

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dateLayout is that of INTERNALDATE. RFC 9051, section 9, date-time.
const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// resolve finds the messages that a command's set names.
func (s *session) resolve(c *Command) error {
	byUID := strings.HasPrefix(c.Name, "UID ")
	if s.open == nil || !byUID && c.Name != "FETCH" || c.Name == "UID SEARCH" {
		return nil
	}
	last := uint32(len(s.view))
	if byUID && last > 0 {
		last = s.view[last-1]
	}
	named, err := inSet(c.Text(0), last)
	if err != nil {
		return err
	}
	for i, uid := range s.view {
		number := uid
		if !byUID {
			number = uint32(i + 1)
		}
		if m := s.open.find(uid); named(number) && m != nil {
			c.messages = append(c.messages, m)
		}
	}
	return nil
}

// fetch answers FETCH and UID FETCH. RFC 9051, section 6.4.5; RFC 7162, section
// 3.1.4.
func (s *session) fetch(c *Command) *Answer {
	if len(c.Args) < 2 || !c.Args[1].IsList {
		return bad()
	}
	since := uint64(0)
	if len(c.Args) == 3 && len(c.Args[2].List) == 2 && s.srv.has("CONDSTORE") {
		since, _ = strconv.ParseUint(c.Args[2].List[1].Text, 10, 64)
		s.condStore = true
	}
	a := &Answer{Status: "OK done"}
	for _, m := range c.messages {
		if m.modSeq <= since {
			continue
		}
		line, err := s.fetchLine(m, c.Args[1].texts(), since > 0)
		if err != nil {
			return bad()
		}
		a.add(line)
	}
	if c.Name == "FETCH" {
		return a // no EXPUNGE while sequence numbers are in use. RFC 9051, section 7.5.1.
	}
	return s.withEvents(a)
}

// fetchLine describes a message.
func (s *session) fetchLine(m *Message, items []string, modSeq bool) (string, error) {
	var values []string
	for _, item := range items {
		switch name := strings.ToUpper(item); {
		case name == "UID":
			values = append(values, fmt.Sprintf("UID %d", m.UID))
		case name == "FLAGS":
			values = append(values, "FLAGS ("+strings.Join(m.Flags, " ")+")")
		case name == "INTERNALDATE":
			values = append(values, "INTERNALDATE "+quoted(m.Date.UTC().Format(dateLayout)))
		case name == "RFC822.SIZE":
			values = append(values, fmt.Sprintf("RFC822.SIZE %d", len(m.Body)))
		case name == "BODY.PEEK[]":
			values = append(values, "BODY[] "+literal(string(m.Body)))
		case strings.HasPrefix(name, "BODY.PEEK[HEADER.FIELDS ("):
			names := strings.Fields(strings.TrimRight(name[len("BODY.PEEK[HEADER.FIELDS ("):], ")]"))
			values = append(values, strings.Replace(item, ".PEEK", "", 1)+" "+literal(headerFields(m.Body, names)))
		default:
			return "", errSyntax
		}
	}
	if s.condStore && (modSeq || slices.Contains(items, "MODSEQ")) {
		values = append(values, fmt.Sprintf("MODSEQ (%d)", m.modSeq))
	}
	return fmt.Sprintf("* %d FETCH (%s)", slices.Index(s.view, m.UID)+1, strings.Join(values, " ")), nil
}

// headerFields returns those fields of a message's header that are asked for, and
// the empty line behind them.
func headerFields(body []byte, names []string) string {
	var b strings.Builder
	wanted := false
	for line := range bytes.Lines(body) {
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte{':'})
			wanted = slices.ContainsFunc(names, func(n string) bool {
				return strings.EqualFold(strings.Trim(n, `"`), strings.TrimSpace(string(name)))
			})
		}
		if wanted {
			b.Write(line)
		}
	}
	return b.String() + "\r\n"
}

// search answers UID SEARCH ALL, with RETURN (ALL) in the form of RFC 4731.
func (s *session) search(c *Command) *Answer {
	args := c.Args
	extended := len(args) > 1 && strings.EqualFold(args[0].Text, "RETURN")
	if extended {
		args = args[2:]
	}
	if len(args) != 1 || extended && !s.srv.has("ESEARCH") {
		return bad()
	}
	key := args[0].Text
	if args[0].IsList {
		key = strings.Join(args[0].texts(), " ")
	}
	if !strings.EqualFold(key, "ALL") {
		return bad()
	}
	var uids []string
	for _, uid := range s.view {
		uids = append(uids, strconv.FormatUint(uint64(uid), 10))
	}
	a := &Answer{Status: "OK done"}
	switch {
	case !extended:
		a.add(strings.TrimSpace("* SEARCH " + strings.Join(uids, " ")))
	case len(uids) == 0:
		a.add(fmt.Sprintf("* ESEARCH (TAG %s) UID", quoted(c.Tag)))
	default:
		a.add(fmt.Sprintf("* ESEARCH (TAG %s) UID ALL %s", quoted(c.Tag), strings.Join(uids, ",")))
	}
	return s.withEvents(a)
}
