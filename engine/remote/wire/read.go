package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// literalsPerLineMax bounds how many literals one response may have that are
	// not the content of a message.
	literalsPerLineMax = 256
	// bodiesPerLineMax bounds how many contents it may have. No command asks for more
	// than one.
	bodiesPerLineMax = 16
)

// pump passes responses on until the first error.
func (c *Conn) pump() {
	defer close(c.done)
	for {
		if err := c.response(); err != nil {
			_ = c.fail(err)
			// Writers must not wait for a server that is not read from any more.
			_ = c.raw.Close()
			return
		}
	}
}

// readLine returns the next line without its end. limit says how long a line
// with that beginning may be. An end of file within a line is unexpected.
func readLine(in *bufio.Reader, limit func(begin []byte) int) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if most := limit(line); len(line) > most {
			return "", fmt.Errorf("the server sent a line of more than %d bytes", most)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		}
		line = bytes.TrimRight(line, " \r\n")
		if bytes.IndexByte(line, '\r') >= 0 {
			// Alone, it would end the line for go-imap.
			line = bytes.ReplaceAll(line, []byte("\r"), nil)
		}
		return string(line), nil
	}
}

// lineLimit is the limit of a line in a session: lists of search results have
// one number for every message of the mailbox.
func (c *Conn) lineLimit(begin []byte) int {
	begin = begin[:min(len(begin), len("* ESEARCH "))]
	for _, kind := range []string{"* SEARCH ", "* ESEARCH "} {
		if _, is := cutPrefixFold(string(begin), kind); is {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.ration.searchLine(c.cfg.LineMax)
		}
	}
	return c.cfg.LineMax
}

// take counts a response whose first line that is against what the server can have to
// say. What comes while nothing is due, or in an IDLE, may come for ever.
func (c *Conn) take(line string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	about, err := c.ration.take(line, len(line), c.cfg.LineMax)
	if !c.out.due() {
		c.ration.renew()
		return nil
	}
	if about != aboutNothing {
		c.patience.move(len(line))
	}
	return err
}

// response reads one response and passes on what go-imap may see of it.
func (c *Conn) response() error {
	c.mu.Lock()
	c.patience.begin()
	c.mu.Unlock()
	line, err := readLine(c.in, c.lineLimit)
	if err != nil {
		return err
	}
	st, isStatus := parseStatus(line)
	if isStatus && st.tag != "*" {
		c.cfg.trace(false, func() string { return line })
		return c.status(st)
	}
	if err := c.take(line); err != nil {
		return err
	}
	switch {
	case line == "":
		return nil // Some servers end literals with an empty line of their own.
	case line[0] == '+':
		c.cfg.trace(false, func() string { return line })
		return c.continuation(line)
	case isStatus:
		c.cfg.trace(false, func() string { return line })
		return c.status(st)
	}
	if !strings.HasPrefix(line, "* ") {
		return fmt.Errorf("the server sent what is no response: %q", printable(line))
	}
	if isFetch(line) {
		return c.fetch(line)
	}
	text, _, err := c.collect(line, false)
	if err != nil {
		return err
	}
	out, note := repairData(text, c.visible)
	return c.pass(out, note)
}

// isFetch reports whether the line begins a FETCH response.
func isFetch(line string) bool {
	number, rest, _ := strings.Cut(strings.TrimPrefix(line, "* "), " ")
	_, found := cutPrefixFold(strings.TrimLeft(rest, " "), "FETCH ")
	return found && strings.Trim(number, "0123456789") == ""
}

func (c *Conn) visible(announced string) string { return visible(announced, c.cfg.Hide) }

// pass delivers a whole response, or remembers why there is nothing to deliver.
func (c *Conn) pass(out, note string) error {
	if note != "" {
		c.mu.Lock()
		c.notes.repaired(note)
		c.mu.Unlock()
	}
	if out == "" {
		return nil
	}
	c.line = append(append(c.line[:0], out...), "\r\n"...)
	return c.deliver(c.line, false)
}

// continuation passes a continuation request on if a command waits for it.
func (c *Conn) continuation(line string) error {
	c.mu.Lock()
	awaited := c.out.permitted()
	c.mu.Unlock()
	if !awaited {
		return c.pass("", "a continuation request that nobody waits for: "+line)
	}
	return c.pass(line, "")
}

// status passes a status response on and takes down what go-imap does not tell.
func (c *Conn) status(st status) error {
	if c.own != "" && st.tag == c.own {
		c.own = "" // it has but one answer
		return nil
	}
	c.mu.Lock()
	c.notes.status(st)
	if st.cond == "BYE" {
		c.bye = c.notes.Bye
	}
	if st.tag != "*" {
		if c.out.answered(st.tag) {
			// The server refused a literal before it was sent. go-imap would give
			// the connection up, so it gets its permission, and what it sends by
			// it goes nowhere.
			c.queue.WriteString("+ refused\r\n")
		}
		c.patience.answered(time.Now())
		c.ration.renew()
	}
	c.mu.Unlock()
	note := st.repair(c.visible)
	return c.pass(st.String(), note)
}

// fetch passes a FETCH response on, the contents of messages as they come.
func (c *Conn) fetch(line string) error {
	var repair fetchRepair
	for bodies := 0; ; bodies++ {
		text, body, err := c.collect(line, true)
		if err != nil {
			return err
		}
		if body < 0 {
			return c.endFetch(&repair, text, bodies == 0)
		}
		if bodies == bodiesPerLineMax {
			return fmt.Errorf("the server sent a message of more than %d contents", bodiesPerLineMax)
		}
		out, err := repair.part(text, true)
		if err != nil {
			return fmt.Errorf("%w: %q", err, shownResponse(text, true))
		}
		if err := c.deliver(fmt.Appendf(nil, "%s{%d}\r\n", out, body), true); err != nil {
			return err
		}
		if err := c.copyLiteral(body); err != nil {
			return err
		}
		if line, err = c.readOn(); err != nil {
			return err
		}
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, ")") {
			// Where the content really ended nobody knows, and what is read on from
			// here would be taken for something else than it is.
			return errLiteralEnd
		}
	}
}

// endFetch passes the last part on, which is all of it if it is the first.
func (c *Conn) endFetch(repair *fetchRepair, text string, whole bool) error {
	out, err := repair.part(text, false)
	note := ""
	switch {
	case err != nil && whole:
		out, note = "", "a malformed response was left out: "+shownResponse(text, true)
	case err != nil && !strings.HasSuffix(text, ")"):
		return errLiteralEnd
	case err != nil:
		// The message itself is complete.
		out, note = ")", "the end of a response was left out: "+shownResponse(text, true)
	case len(repair.lost) > 0:
		note = "left out of FETCH responses: " + strings.Join(repair.lost, " ")
	}
	return c.pass(out, note)
}

// collect completes a response that begins with line by the literals in it. It
// stops before the content of a message, whose size it returns, or else -1.
func (c *Conn) collect(line string, isFetch bool) (text string, body int64, err error) {
	var b strings.Builder
	for range literalsPerLineMax {
		head, size, _, announced := literalAtEnd(line)
		if !announced {
			text = line
			if b.Len() > 0 {
				text = b.String() + line
			}
			c.cfg.trace(false, func() string { return shownResponse(text, isFetch) })
			return text, -1, nil
		}
		b.WriteString(head)
		if isFetch && bodyAhead(head) {
			if size > c.cfg.LiteralMax {
				return "", 0, fmt.Errorf("the server sent a message of more than %d bytes", c.cfg.LiteralMax)
			}
			c.cfg.trace(false, func() string { return fmt.Sprintf("%s{%d bytes}", shownResponse(b.String(), true), size) })
			return b.String(), size, nil
		}
		if size > int64(c.cfg.LineMax-b.Len()) {
			return "", 0, fmt.Errorf("the server sent a string that makes its response longer than %d bytes", c.cfg.LineMax)
		}
		fmt.Fprintf(&b, "{%d}\r\n", size)
		if _, err := io.CopyN(&b, c.in, size); err != nil {
			return "", 0, unexpected(err)
		}
		if line, err = c.readOn(); err != nil {
			return "", 0, err
		}
	}
	return "", 0, fmt.Errorf("the server sent a response with more than %d literals", literalsPerLineMax)
}

// readOn reads the line that follows a literal.
func (c *Conn) readOn() (string, error) {
	line, err := readLine(c.in, func([]byte) int { return c.cfg.LineMax })
	return line, unexpected(err)
}

// copyLiteral passes size bytes on.
func (c *Conn) copyLiteral(size int64) error {
	buffer := make([]byte, min(size, readBufferBytes))
	for size > 0 {
		n, err := c.in.Read(buffer[:min(size, int64(len(buffer)))])
		if n > 0 {
			size -= int64(n)
			c.mu.Lock()
			c.patience.move(n)
			c.mu.Unlock()
			if err := c.deliver(buffer[:n], true); err != nil {
				return err
			}
		}
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// unexpected is err within a response, where no end of file belongs.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
