package wire

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// The bounds of what is sent. Up to pipelineBytesMax a message is sent without
// waiting for the server's permission; a larger one waits, because there a
// refusal in time saves more than the round trip costs.
const (
	pipelineBytesMax = 8 << 20
	commandLineMax   = 1 << 20
	writeChunkBytes  = 16 << 10
)

// outgoing follows what go-imap sends: where lines, literals and commands
// begin and end, and what the server owes an answer for.
type outgoing struct {
	literalPlus bool
	pipelineMax int64

	line    []byte // the beginning of a line whose end is yet to come
	literal int64  // bytes of a literal that are yet to come
	tag     string // of the command that is being sent, empty between two
	name    string // of that command, in upper case
	// refused is true while what go-imap sends of the command goes nowhere.
	refused bool
	// opening is true when a command that opens a mailbox has begun; who sees it
	// makes it false again.
	opening bool
	pending map[string]*command
}

// command is one that the server has not answered.
type command struct {
	sent    bool // all of it
	literal bool // it waits for permission to send a literal
	idle    int  // one of the states below
}

// The states of an IDLE command. RFC 2177.
const (
	notIdle     = iota
	idleAsked   // sent, not confirmed
	idleRunning // the server says something when it has something to say
)

func newOutgoing(literalPlus bool, limit int64, limited bool) outgoing {
	o := outgoing{literalPlus: literalPlus, pipelineMax: pipelineBytesMax, pending: map[string]*command{}}
	if limited {
		o.pipelineMax = min(o.pipelineMax, limit)
	}
	return o
}

// due reports whether the server has to say something.
func (o *outgoing) due() bool {
	for _, cmd := range o.pending {
		if cmd.literal || cmd.sent && cmd.idle != idleRunning {
			return true
		}
	}
	return false
}

// permitted takes a continuation request in. It returns false if no command
// waits for one.
func (o *outgoing) permitted() bool {
	for _, cmd := range o.pending {
		if cmd.literal {
			cmd.literal = false
			return true
		}
		if cmd.idle == idleAsked {
			cmd.idle = idleRunning
			return true
		}
	}
	return false
}

// answered takes the answer to a command in. It returns true if the command
// still waits for permission to send a literal, which it now will not get.
func (o *outgoing) answered(tag string) (refused bool) {
	cmd := o.pending[tag]
	delete(o.pending, tag)
	if cmd == nil || !cmd.literal {
		return false
	}
	o.refused = true
	return true
}

// next takes the next piece of b in. It returns what to send for it, how many
// bytes of b it was, and how many permissions to make up.
func (o *outgoing) next(b []byte) (send []byte, n, permits int, err error) {
	if o.literal > 0 {
		n = int(min(o.literal, int64(len(b))))
		o.literal -= int64(n)
		return o.unlessRefused(b[:n]), n, 0, nil
	}
	n = bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		n = len(b)
	}
	o.line = append(o.line, b[:n]...)
	if len(o.line) > commandLineMax {
		return nil, n, 0, fmt.Errorf("a command line is longer than %d bytes", commandLineMax)
	}
	if o.line[len(o.line)-1] != '\n' {
		return nil, n, 0, nil
	}
	line := strings.TrimRight(string(o.line), "\r\n")
	o.line = o.line[:0]
	text, permits := o.endLine(line)
	send = o.unlessRefused([]byte(text + "\r\n"))
	if o.tag == "" {
		o.refused = false
	}
	return send, n, permits, nil
}

func (o *outgoing) unlessRefused(b []byte) []byte {
	if o.refused {
		return nil
	}
	return b
}

// endLine takes a whole line in and returns it as it is to be sent.
func (o *outgoing) endLine(line string) (send string, permits int) {
	if o.tag == "" && !o.begin(line) {
		return line, 0
	}
	cmd := o.pending[o.tag] // nil when it has been answered early
	head, size, sync, announced := literalAtEnd(line)
	switch {
	case !announced:
		if cmd != nil {
			cmd.sent = true
		}
		o.tag = ""
		return line, 0
	case sync && o.literalPlus && o.name == "APPEND" && size <= o.pipelineMax:
		o.literal = size
		return fmt.Sprintf("%s{%d+}", head, size), 1
	}
	o.literal = size
	if sync && cmd != nil {
		cmd.literal = true
	}
	return line, 0
}

// begin takes the first line of a command in. It returns false for the line
// that ends an IDLE, which is no command.
func (o *outgoing) begin(line string) bool {
	tag, rest, isCommand := strings.Cut(line, " ")
	if !isCommand {
		for _, cmd := range o.pending {
			cmd.idle = notIdle // DONE: now the answer is due.
		}
		return false
	}
	name, _, _ := strings.Cut(rest, " ")
	o.tag, o.name = tag, strings.ToUpper(name)
	cmd := &command{}
	switch o.name {
	case "IDLE":
		cmd.idle = idleAsked
	case "SELECT", "EXAMINE":
		o.opening = true
	}
	o.pending[tag] = cmd
	return true
}

// Write sends commands. It returns when the transport has taken them, except
// for the head of an APPEND, which leaves together with the message.
func (c *Conn) Write(b []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	hold := false
	for done := 0; done < len(b); {
		c.mu.Lock()
		if c.err != nil {
			defer c.mu.Unlock()
			return done, c.err
		}
		wasLine := c.out.literal == 0
		send, n, permits, err := c.out.next(b[done:])
		if c.out.opening {
			c.out.opening = false
			c.ration.open()
		}
		c.permits += permits
		c.permit()
		c.mu.Unlock()
		if err != nil {
			return done, c.fail(err)
		}
		if wasLine && len(send) > len("\r\n") {
			c.cfg.trace(true, func() string { return strings.TrimRight(string(send), "\r\n") })
		}
		c.sending = append(c.sending, send...)
		hold = permits > 0
		done += n
	}
	if hold {
		return len(b), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// flush sends what is to be sent, in pieces, so that each gets the whole time:
// the deadline is on progress.
func (c *Conn) flush() error {
	defer func() { c.sending = c.sending[:0] }()
	for rest := c.sending; len(rest) > 0; {
		piece := rest[:min(len(rest), writeChunkBytes)]
		if err := c.raw.SetWriteDeadline(time.Now().Add(c.cfg.ProgressTimeout)); err != nil {
			return c.broken(err)
		}
		if _, err := c.raw.Write(piece); err != nil {
			return c.broken(err)
		}
		rest = rest[len(piece):]
		c.mu.Lock()
		c.patience.move(len(piece))
		c.rearm()
		c.mu.Unlock()
	}
	return nil
}

// broken ends the connection because nothing more can be sent.
func (c *Conn) broken(err error) error {
	err = c.fail(fmt.Errorf("send a command: %w", err))
	_ = c.raw.Close()
	return err
}
