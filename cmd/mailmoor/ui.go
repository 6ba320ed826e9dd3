package main

// The rules of output, which all commands follow:
//
//   - Results go to stdout, messages to stderr. With --json stdout carries one
//     JSON document and nothing else.
//   - A message begins with "mailmoor: " and, where there is one, the account:
//     "mailmoor: personal: connect to imap.example.org:993: ...". It has no
//     capital first letter and no period at its end. What the user can do about
//     it stands on the next line, indented.
//   - Text of servers and file names may contain anything: what is not printable
//     is shown escaped.
//   - Colour only on a terminal, and not with NO_COLOR or TERM=dumb.
//   - On a terminal a line on stderr shows the progress. It is redrawn at most
//     five times a second and cleared before anything else is printed.
//   - --quiet prints nothing on success. What waits for somebody is said when it
//     is new, when it changed, and once a day.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"mailmoor/config"
)

// ui is the terminal, or what stands in for one. Any number of goroutines may
// use it.
type ui struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	// interactive is true when stderr is a terminal, colour when it may be
	// coloured.
	interactive bool
	colour      bool

	mu sync.Mutex
	// prompt is a question that waits for its answer, "" without one. Then there
	// is no progress line.
	prompt string
	// shown is the number of columns of the progress line or of the question.
	shown int
}

func newUI(stdin io.Reader, stdout, stderr io.Writer) *ui {
	u := &ui{stdin: stdin, stdout: stdout, stderr: stderr}
	dumb := os.Getenv("TERM") == "dumb"
	u.interactive = isTerminal(stderr) && !dumb
	_, plain := os.LookupEnv("NO_COLOR")
	u.colour = u.interactive && !plain
	return u
}

// put prints text. There is nobody to tell when the stream is gone.
func put(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Write is for the log. It keeps the progress line out of the way.
func (u *ui) Write(p []byte) (int, error) {
	u.print(u.stderr, string(p))
	return len(p), nil
}

// print prints text in place of the progress line, or above a question.
func (u *ui) print(w io.Writer, text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	put(w, text)
	if u.prompt != "" {
		u.show(u.prompt)
	}
}

// ask shows a question until the function that it returns is called. Whoever
// waits for the answer does not keep others from printing.
func (u *ui) ask(question string) (answered func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	u.prompt = printable(question)
	u.show(u.prompt)
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.prompt, u.shown = "", 0
		put(u.stderr, "\n")
	}
}

// show puts a line on the screen that clear takes away. The caller holds the
// lock.
func (u *ui) show(line string) {
	put(u.stderr, line)
	u.shown = len([]rune(line))
}

// result prints a line of the result.
func (u *ui) result(format string, args ...any) {
	u.print(u.stdout, fmt.Sprintf(format+"\n", args...))
}

// document prints v as the one JSON document of the run.
func (u *ui) document(v any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	enc := json.NewEncoder(u.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the JSON document: %w", err)
	}
	return nil
}

// message prints a message about an account, or about no account, with a hint.
func (u *ui) message(account, text, hint string) {
	var b strings.Builder
	b.WriteString("mailmoor: ")
	if account != "" {
		b.WriteString(account + ": ")
	}
	// Lines after the first are indented, so that no text can pass for a
	// message of its own.
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(strings.TrimRight(printable(line), " ") + "\n")
	}
	if hint != "" {
		b.WriteString("  " + printable(hint) + "\n")
	}
	u.print(u.stderr, b.String())
}

// failure prints an error of the account. The problems of a configuration are
// messages of their own.
func (u *ui) failure(account string, err error) {
	if e := new(config.Error); errors.As(err, &e) {
		for _, p := range e.Problems {
			u.message("", p.Error(), "")
		}
		return
	}
	u.message(account, err.Error(), hintOf(err))
}

// clear removes what show has put there. The caller holds the lock.
func (u *ui) clear() {
	if u.shown > 0 {
		put(u.stderr, "\r"+strings.Repeat(" ", u.shown)+"\r")
		u.shown = 0
	}
}

// draw shows the progress line, cut to the width of the terminal.
func (u *ui) draw(line string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.prompt != "" {
		return
	}
	width := 80
	if f, ok := u.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 1 {
			width = w
		}
	}
	runes := []rune(printable(line))
	runes = runes[:min(len(runes), width-1)]
	u.clear()
	u.show(string(runes))
}

// printable returns text with everything escaped that is not to be seen: it
// could move the cursor, forge lines or turn the direction of writing.
func printable(text string) string {
	clean := func(r rune) bool { return r != '\uFFFD' && strconv.IsPrint(r) }
	if strings.IndexFunc(text, func(r rune) bool { return !clean(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case clean(r) || strings.HasPrefix(text[i:], "\uFFFD"):
			b.WriteRune(r)
		case r == '\uFFFD':
			fmt.Fprintf(&b, `\x%02x`, text[i])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// count returns a number with its noun: "1 message", "2 messages". A noun whose
// plural does not end in s is given with both: "mailbox|mailboxes".
func count[N int | int64](n N, noun string) string {
	one, more, both := strings.Cut(noun, "|")
	if !both {
		more = one + "s"
	}
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// bytesText returns a number of bytes for people.
func bytesText(n int64) string {
	const unit = 1000
	if n < unit {
		return count(n, "byte")
	}
	value, units := float64(n)/unit, "kMGTPE"
	i := 0
	for value >= unit && i < len(units)-1 {
		value /= unit
		i++
	}
	return fmt.Sprintf("%.1f %cB", value, units[i])
}

// durationText returns a duration for people.
func durationText(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
