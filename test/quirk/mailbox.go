package quirk

import (
	"fmt"
	"slices"
	"strings"
)

// allCapabilities is what a server without quirks has.
const allCapabilities = "IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID ENABLE NAMESPACE UNSELECT UIDPLUS MOVE CONDSTORE ESEARCH " +
	"LIST-EXTENDED LIST-STATUS SPECIAL-USE IDLE"

// capabilities returns those that no quirk hides.
func (srv *Server) capabilities() string {
	list := strings.Fields(allCapabilities)
	for _, q := range srv.quirks {
		all := len(list)
		if list = slices.DeleteFunc(list, func(name string) bool { return slices.Contains(q.Hide, name) }); len(list) < all {
			srv.effects[q.Name]++
		}
	}
	return strings.Join(list, " ")
}

func (srv *Server) has(capability string) bool {
	return slices.Contains(strings.Fields(srv.capabilities()), capability)
}

// note logs a command.
func (srv *Server) note(c *Command) {
	line := c.Name
	if c.Name != "LOGIN" && c.Name != "AUTHENTICATE" {
		for _, v := range c.Args {
			switch {
			case v.IsList:
				line += " (" + strings.Join(v.texts(), " ") + ")"
			case strings.Contains(v.Text, "\r\n"):
				line += fmt.Sprintf(" {%d bytes}", len(v.Text))
			default:
				line += " " + v.Text
			}
		}
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.log = append(srv.log, line)
}

// visible returns the messages of the mailbox that clients get to see.
func (srv *Server) visible(m *box) []*Message {
	list := m.messages
	for _, q := range srv.quirks {
		if q.Show == nil {
			continue
		}
		all := len(list)
		if list = q.Show(m.name, list); len(list) < all {
			srv.effects[q.Name]++
		}
	}
	return list
}

func (s *session) enable(c *Command) *Answer {
	a := &Answer{Status: "OK done"}
	for _, v := range c.Args {
		if strings.EqualFold(v.Text, "CONDSTORE") && s.srv.has("CONDSTORE") {
			s.condStore = true
			a.add("* ENABLED CONDSTORE")
		}
	}
	return a
}

// namespace answers as RFC 2342, section 5.
func (s *session) namespace(*Command) *Answer {
	return &Answer{
		Untagged: []string{fmt.Sprintf("* NAMESPACE ((%s %s)) NIL NIL", quoted(s.srv.o.Prefix), quoted(s.srv.o.Delimiter))},
		Status:   "OK done",
	}
}

// list answers LIST "" pattern, where the pattern is "*" or a name, with RETURN
// (SPECIAL-USE STATUS (...)). RFC 5258, RFC 5819, RFC 6154.
func (s *session) list(c *Command) *Answer {
	var items []string
	if len(c.Args) == 4 && strings.EqualFold(c.Text(2), "RETURN") {
		for i, v := range c.Args[3].List {
			if v.IsList && i > 0 && strings.EqualFold(c.Args[3].List[i-1].Text, "STATUS") {
				items = v.texts()
			}
		}
	}
	if c.Text(0) != "" || len(c.Args) < 2 || items != nil && !s.srv.has("LIST-STATUS") {
		return bad()
	}
	a := &Answer{Status: "OK done"}
	for _, m := range s.srv.mailboxes {
		if c.Text(1) != "*" && s.srv.lookup(c.Text(1)) != m {
			continue
		}
		a.add(fmt.Sprintf("* LIST (%s) %s %s", strings.Join(m.attrs, " "), quoted(s.srv.o.Delimiter), quoted(m.name)))
		if items != nil && !slices.Contains(m.attrs, `\Noselect`) {
			a.add(s.srv.statusLine(m, items))
		}
	}
	return a
}

func (s *session) status(c *Command) *Answer {
	m := s.srv.lookup(c.Text(0))
	if m == nil || slices.Contains(m.attrs, `\Noselect`) || len(c.Args) != 2 {
		return no("[NONEXISTENT] no such mailbox")
	}
	return &Answer{Untagged: []string{s.srv.statusLine(m, c.Args[1].texts())}, Status: "OK done"}
}

func (srv *Server) statusLine(m *box, items []string) string {
	var values []string
	for _, item := range items {
		switch item = strings.ToUpper(item); item {
		case "MESSAGES":
			values = append(values, fmt.Sprintf("MESSAGES %d", len(srv.visible(m))))
		case "UIDNEXT":
			values = append(values, fmt.Sprintf("UIDNEXT %d", m.next))
		case "UIDVALIDITY":
			values = append(values, fmt.Sprintf("UIDVALIDITY %d", m.validity))
		case "HIGHESTMODSEQ":
			values = append(values, fmt.Sprintf("HIGHESTMODSEQ %d", m.modSeq))
		}
	}
	return fmt.Sprintf("* STATUS %s (%s)", quoted(m.name), strings.Join(values, " "))
}

// selectMailbox opens a mailbox. RFC 9051, section 6.3.2; RFC 7162, section
// 3.1.8.
func (s *session) selectMailbox(c *Command) *Answer {
	s.open, s.view = nil, nil
	m := s.srv.lookup(c.Text(0))
	if m == nil || slices.Contains(m.attrs, `\Noselect`) {
		return no("[NONEXISTENT] no such mailbox")
	}
	for _, v := range c.Args[1:] {
		s.condStore = s.condStore || v.IsList && slices.Contains(v.texts(), "CONDSTORE") && s.srv.has("CONDSTORE")
	}
	s.open, s.readOnly = m, c.Name == "EXAMINE"
	for _, msg := range s.srv.visible(m) {
		s.view = append(s.view, msg.UID)
	}
	a := &Answer{Status: "OK [READ-WRITE] done"}
	if s.readOnly {
		a.Status = "OK [READ-ONLY] done"
	}
	a.add(`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)`)
	a.add(fmt.Sprintf("* %d EXISTS", len(s.view)))
	a.add("* 0 RECENT")
	a.add(`* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded \*)] limited`)
	a.add(fmt.Sprintf("* OK [UIDVALIDITY %d] valid", m.validity))
	a.add(fmt.Sprintf("* OK [UIDNEXT %d] next", m.next))
	if s.srv.has("CONDSTORE") {
		a.add(fmt.Sprintf("* OK [HIGHESTMODSEQ %d] highest", m.modSeq))
	}
	return a
}

func (s *session) unselect(*Command) *Answer {
	s.open, s.view = nil, nil
	return &Answer{Status: "OK done"}
}

func (s *session) create(c *Command) *Answer {
	name := c.Text(0)
	switch {
	case s.srv.lookup(name) != nil:
		return no("[ALREADYEXISTS] it exists")
	case !strings.HasPrefix(name, s.srv.o.Prefix):
		return no("[CANNOT] Invalid mailbox name.")
	}
	s.srv.create(name)
	s.srv.changes++
	return &Answer{Status: "OK done"}
}

// withEvents adds what came and went in the open mailbox since the client was
// last told. RFC 9051, section 7.5.
func (s *session) withEvents(a *Answer) *Answer {
	if s.open == nil {
		return a
	}
	shown := s.srv.visible(s.open)
	there := make(map[uint32]bool, len(shown))
	for _, m := range shown {
		there[m.UID] = true
	}
	for i := 0; i < len(s.view); {
		if there[s.view[i]] {
			i++
			continue
		}
		s.view = slices.Delete(s.view, i, i+1)
		a.add(fmt.Sprintf("* %d EXPUNGE", i+1))
	}
	if before := len(s.view); len(shown) > before {
		s.view = s.view[:0]
		for _, m := range shown {
			s.view = append(s.view, m.UID)
		}
		a.add(fmt.Sprintf("* %d EXISTS", len(s.view)))
	}
	return a
}
