package quirk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// append answers APPEND mailbox [(flags)] ["date"] literal. RFC 4315, section 3.
func (s *session) append(c *Command) *Answer {
	m := s.srv.lookup(c.Text(0))
	if m == nil {
		return no("[TRYCREATE] no such mailbox")
	}
	msg := Message{Date: time.Now()}
	for i, v := range c.Args[1:] {
		var err error
		switch {
		case v.IsList:
			msg.Flags = v.texts()
		case i+2 == len(c.Args):
			msg.Body = []byte(v.Text)
		default:
			if msg.Date, err = time.Parse(dateLayout, v.Text); err != nil {
				return bad()
			}
		}
	}
	uid := uint32(0)
	for _, q := range s.srv.quirks {
		if q.Store == nil || uid != 0 {
			continue
		}
		sent := len(msg.Body)
		if uid = q.Store(m.messages, &msg); uid != 0 || len(msg.Body) != sent {
			s.srv.effects[q.Name]++
		}
	}
	if uid == 0 {
		uid = m.add(msg).UID
	}
	s.srv.changes++
	a := &Answer{Status: "OK done"}
	if s.srv.has("UIDPLUS") {
		a.Status = fmt.Sprintf("OK [APPENDUID %d %d] done", m.validity, uid)
	}
	return s.withEvents(a)
}

// store answers UID STORE set +FLAGS|-FLAGS|FLAGS[.SILENT] (flags).
func (s *session) store(c *Command) *Answer {
	if len(c.Args) != 3 || !c.Args[2].IsList {
		return bad()
	}
	op, silent := strings.CutSuffix(strings.ToUpper(c.Text(1)), ".SILENT")
	a := &Answer{Status: "OK done"}
	for _, m := range c.messages {
		flags := c.Args[2].texts()
		if op == "-FLAGS" {
			m.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool {
				return slices.ContainsFunc(flags, func(g string) bool { return strings.EqualFold(f, g) })
			})
		} else {
			if op == "FLAGS" {
				m.Flags = nil
			}
			for _, f := range flags {
				if !m.has(f) {
					m.Flags = append(slices.Clone(m.Flags), f)
				}
			}
		}
		s.open.touch(m)
		s.srv.changes++
		if silent {
			continue
		}
		line, err := s.fetchLine(m, []string{"UID", "FLAGS"}, true)
		if err != nil {
			return bad()
		}
		a.add(line)
	}
	return s.withEvents(a)
}

// copyOrMove answers UID COPY and UID MOVE. RFC 6851, section 4.3: the COPYUID of
// a MOVE comes before the messages disappear.
func (s *session) copyOrMove(c *Command) *Answer {
	move := c.Name == "UID MOVE"
	dest := s.srv.lookup(c.Text(1))
	switch {
	case move && !s.srv.has("MOVE"):
		return bad()
	case dest == nil:
		return no("[TRYCREATE] no such mailbox")
	}
	messages := slices.Clone(c.messages)
	backwards := false
	for _, q := range s.srv.quirks {
		if q.CopyBackwards && len(messages) > 1 {
			backwards = true
			s.srv.effects[q.Name]++
			slices.Reverse(messages)
		}
	}
	var from, to []string
	for _, m := range messages {
		added := dest.add(*m)
		from = append(from, strconv.FormatUint(uint64(m.UID), 10))
		to = append(to, strconv.FormatUint(uint64(added.UID), 10))
		if move {
			s.open.remove(m.UID)
		}
		s.srv.changes++
	}
	if backwards {
		slices.Reverse(from)
		slices.Reverse(to)
	}
	a := &Answer{Status: "OK done"}
	if len(from) > 0 && s.srv.has("UIDPLUS") {
		code := fmt.Sprintf("OK [COPYUID %d %s %s] done", dest.validity, strings.Join(from, ","), strings.Join(to, ","))
		if move {
			a.add("* " + code)
		} else {
			a.Status = code
		}
	}
	return s.withEvents(a)
}

// expunge answers UID EXPUNGE. RFC 4315, section 2.1.
func (s *session) expunge(c *Command) *Answer {
	if !s.srv.has("UIDPLUS") {
		return bad()
	}
	for _, m := range c.messages {
		if m.has(`\Deleted`) {
			s.open.remove(m.UID)
			s.srv.changes++
		}
	}
	return s.withEvents(&Answer{Status: "OK done"})
}
