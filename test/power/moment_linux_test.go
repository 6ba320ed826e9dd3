package power

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// moment is when the power fails, and what the kernel had written by then beyond
// what the program asked it to.
type moment struct {
	// sync is the call by number, from 1; 0 is the start of the run.
	sync int
	// before is true for the instant before the call, as if it had never been
	// made. Otherwise the power fails when it has been made, but before the program
	// hears of it; or, with wait, so long after the program has.
	before bool
	wait   time.Duration
	// end is true for the instant at which the program has ended.
	end bool
	// mail and state are what was written to the two disks.
	mail, state push
}

// push is what a kernel writes that nobody asked.
type push string

// What the kernel writes: nothing, the metadata that stand in the journal by now,
// or everything.
const (
	pushNothing push = ""
	pushJournal push = "journal"
	pushAll     push = "all"
)

// String returns the moment as the flag -at takes it.
func (m moment) String() string {
	text := "end"
	if !m.end {
		text = strconv.Itoa(m.sync) + "+"
		if m.before {
			text = strconv.Itoa(m.sync) + "-"
		}
		if m.wait > 0 {
			text += m.wait.String()
		}
	}
	if m.mail != pushNothing {
		text += ",mail=" + string(m.mail)
	}
	if m.state != pushNothing {
		text += ",state=" + string(m.state)
	}
	return text
}

// sequence is one power failure after another: each run is interrupted, and only
// the one after the last comes to its end.
type sequence []moment

// String returns the moments as the flag -at takes them.
func (s sequence) String() string {
	texts := make([]string, len(s))
	for i, m := range s {
		texts[i] = m.String()
	}
	return strings.Join(texts, "/")
}

// parseSequence is the reverse of String.
func parseSequence(text string) (sequence, error) {
	var s sequence
	for part := range strings.SplitSeq(text, "/") {
		m, err := parseMoment(part)
		if err != nil {
			return nil, err
		}
		s = append(s, m)
	}
	return s, nil
}

// parseMoment is the reverse of moment.String.
func parseMoment(text string) (m moment, err error) {
	parts := strings.Split(text, ",")
	for _, part := range parts[1:] {
		disk, what, _ := strings.Cut(part, "=")
		p := push(what)
		switch {
		case p != pushJournal && p != pushAll:
			return m, fmt.Errorf("%q: the kernel writes %q or %q", text, pushJournal, pushAll)
		case disk == "mail":
			m.mail = p
		case disk == "state":
			m.state = p
		default:
			return m, fmt.Errorf("%q: the disks are mail and state", text)
		}
	}
	if parts[0] == "end" {
		m.end = true
		return m, nil
	}
	at := strings.IndexAny(parts[0], "+-")
	if at < 0 {
		return m, fmt.Errorf("%q is no moment; 17- is before the 17th call, 17+ after it, 17+2ms later, end at the end", text)
	}
	if m.sync, err = strconv.Atoi(parts[0][:at]); err != nil {
		return m, err
	}
	m.before = parts[0][at] == '-'
	if later := parts[0][at+1:]; later != "" {
		m.wait, err = time.ParseDuration(later)
	}
	return m, err
}

func TestSequence(t *testing.T) {
	for _, text := range []string{
		"17-", "17+", "17+2.5ms", "0+1µs", "end", "3-,mail=journal,state=all", "end,state=journal", "17-,mail=all/0+3ms/2+",
	} {
		if s, err := parseSequence(text); err != nil || s.String() != text {
			t.Errorf("%q is read as %q, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "17", "x+", "17+x", "17+,disk=all", "17+,mail=some", "17+,mail", "17+/"} {
		if s, err := parseSequence(text); err == nil {
			t.Errorf("%q is read as %q", text, s)
		}
	}
}

// each returns the instants before and after each call of a run that made so
// many, and its end.
func each(calls int) []sequence {
	var all []sequence
	for n := 1; n <= calls; n++ {
		all = append(all, sequence{{sync: n, before: true}}, sequence{{sync: n}})
	}
	return append(all, sequence{{end: true}})
}

// twicePercent is how often the power fails once more when it has come back.
const twicePercent = 25

// anyOf draws when the power fails during a run that makes these calls.
func anyOf(random *rand.Rand, calls []call) sequence {
	s := sequence{anyMoment(random, calls)}
	for random.IntN(100) < twicePercent {
		s = append(s, anyMoment(random, calls))
	}
	return s
}

// anyMoment draws one instant: before or after a call, or somewhere between two.
func anyMoment(random *rand.Rand, calls []call) moment {
	var m moment
	n := random.IntN(len(calls) + 1)
	if random.IntN(4) == 0 {
		all := each(len(calls))
		m = all[random.IntN(len(all))][0]
	} else {
		m.sync, m.wait = n, time.Microsecond
		if n > 0 && n < len(calls) {
			gap := calls[n].at.Sub(calls[n-1].at)
			m.wait += time.Duration(random.Int64N(int64(gap) + 1)).Truncate(time.Microsecond)
		}
	}
	pushes := []push{pushNothing, pushNothing, pushJournal, pushAll}
	m.mail, m.state = pushes[random.IntN(len(pushes))], pushes[random.IntN(len(pushes))]
	return m
}

// by makes the kernel write.
func (p push) by(d *disk) error {
	switch p {
	case pushNothing:
		return nil
	case pushJournal:
		// The sync of a file of nobody's brings what happened before into the
		// journal, but no content of other files.
		file, err := os.OpenFile(filepath.Join(d.dir, ".nobodys"), os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := file.WriteString("x"); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
		return os.Remove(file.Name())
	default:
		dir, err := os.Open(d.dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		return unix.Syncfs(int(dir.Fd()))
	}
}
