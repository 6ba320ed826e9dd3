package wire

import (
	"fmt"
	"time"
)

// The limits on time. All but the last are multiples of Config.ProgressTimeout, so that
// one key of the configuration stretches them all.
const (
	// handshakeTimeouts is how long the greeting, and each answer until the login is
	// done, may take as a whole, however steadily it drips in.
	handshakeTimeouts = 5
	// answerTimeouts is how long a command may be without its tagged answer. A server
	// that searches for long says "* OK Still here" every few seconds, which keeps the
	// line alive and is no answer.
	answerTimeouts = 30
	// rateTimeouts is the time over which the rate of a response is measured: disks
	// and radio links pause.
	rateTimeouts = 5
	// rateBytesMin is the least rate of what was asked for, in bytes per second. A
	// telephone line of 1990 had ten times as much. What moves at that rate or faster
	// gives a command as much more time as it takes.
	rateBytesMin = 100
)

// patience says until when the server has to say something, to say enough of it, and
// to come to an end. It is guarded by Conn.mu.
type patience struct {
	progress time.Duration // Config.ProgressTimeout
	// waiting is since when an answer has been due, zero while none is. moved is how
	// many bytes of what was asked for have come or gone since.
	waiting time.Time
	moved   int64
	// window is since when the bytes of a response that has begun are counted, zero
	// before its first byte; got is how many have come since.
	window time.Time
	got    int64
}

// deadline returns when the next byte must have moved at the latest, zero for never.
func (p *patience) deadline(now time.Time, due bool) time.Time {
	if !due {
		p.waiting, p.window = time.Time{}, time.Time{}
		return time.Time{}
	}
	if p.waiting.IsZero() {
		p.waiting, p.moved = now, 0
	}
	if !p.window.IsZero() && now.Sub(p.window) >= rateTimeouts*p.progress && p.enough() {
		p.window, p.got = now, 0
	}
	deadline := now.Add(p.progress)
	if end := p.answerEnd(); end.Before(deadline) {
		deadline = end
	}
	if end := p.windowEnd(); !end.IsZero() && end.Before(deadline) {
		deadline = end
	}
	return deadline
}

// answerEnd is when the tagged answer must have come.
func (p *patience) answerEnd() time.Time {
	return p.waiting.Add(answerTimeouts*p.progress + time.Duration(p.moved/rateBytesMin)*time.Second)
}

// windowEnd is when enough of the response must have come, zero when it has.
func (p *patience) windowEnd() time.Time {
	if p.window.IsZero() || p.enough() {
		return time.Time{}
	}
	return p.window.Add(rateTimeouts * p.progress)
}

// enough reports whether the response comes at the least rate.
func (p *patience) enough() bool {
	return p.got >= int64(rateBytesMin*rateTimeouts*p.progress/time.Second)
}

// reason says what lasted too long when a deadline has passed.
func (p *patience) reason(now time.Time) string {
	end := p.windowEnd()
	switch {
	case p.waiting.IsZero():
	case !now.Before(p.answerEnd()):
		return fmt.Sprintf("the server keeps talking and has not answered a command for %s", now.Sub(p.waiting).Round(time.Second))
	case !end.IsZero() && !now.Before(end):
		return fmt.Sprintf("only %d bytes of an answer came in %s", p.got, rateTimeouts*p.progress)
	}
	return p.silence()
}

// silence is the reason when nothing came or went at all.
func (p *patience) silence() string {
	return fmt.Sprintf("not a byte moved for %s while an answer was due", p.progress)
}

// begin is for the beginning of a response.
func (p *patience) begin() { p.window, p.got = time.Time{}, 0 }

// read is for bytes that came.
func (p *patience) read(now time.Time, n int) {
	if p.waiting.IsZero() {
		return
	}
	if p.window.IsZero() {
		p.window = now
	}
	p.got += int64(n)
}

// move is for bytes of what was asked for, in either direction.
func (p *patience) move(n int) { p.moved += int64(n) }

// answered is for a tagged answer; others may still be due.
func (p *patience) answered(now time.Time) {
	if !p.waiting.IsZero() {
		p.waiting, p.moved = now, 0
	}
}

// pause makes up for time in which nobody read on this side.
func (p *patience) pause(d time.Duration) {
	if !p.waiting.IsZero() {
		p.waiting = p.waiting.Add(d)
	}
	if !p.window.IsZero() {
		p.window = p.window.Add(d)
	}
}
