package main

// The rules of output, which all commands follow:
//
//   - Results go to stdout, messages to stderr. With --json stdout carries one
//     JSON document and nothing else.
//   - A message begins with "mailmoor: " and, where there is one, the account:
//     "mailmoor: personal: connect to imap.example.org:993: ...". It has no
//     capital first letter and no period at its end. What the user can do about
//     it stands on the next line, indented.
//   - All that people read is state.Text: names, answers of servers and the like
//     were made printable where they went in. The JSON document has them as they are.
//   - On a terminal lines are broken between words, and go on indented. Elsewhere
//     a message and its hint are one line each, for other programs to read.
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
	"strings"
	"sync"

	"golang.org/x/term"

	"mailmoor/config"
	"mailmoor/state"
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
	// columns returns how wide the terminal is that w leads to, 0 when it leads to none.
	columns func(w io.Writer) int

	mu sync.Mutex
	// prompt is a question that waits for its answer, "" without one. Then there
	// is no progress line.
	prompt state.Text
	// shown is the number of columns of the progress line or of the question.
	shown int
}

func newUI(stdin io.Reader, stdout, stderr io.Writer) *ui {
	u := &ui{stdin: stdin, stdout: stdout, stderr: stderr, columns: columnsOf}
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

// columnsOf asks the terminal how wide it is.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 {
		return width
	}
	return 80
}

// print prints lines in place of the progress line, or above a question. What is too
// long for the terminal goes on below, indented by indent columns. It is the only way
// of words to a stream but for show.
func (u *ui) print(w io.Writer, indent int, lines ...state.Text) {
	width := u.columns(w)
	var b strings.Builder
	for _, line := range lines {
		// Whatever an older state holds, a line stays one.
		text := strings.TrimRight(state.Printable(string(line)), " ")
		for _, piece := range broken(text, width, indent) {
			b.WriteString(piece + "\n")
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	put(w, b.String())
	if u.prompt != "" {
		u.show(u.prompt)
	}
}

// ask shows a question until the function that it returns is called. Whoever
// waits for the answer does not keep others from printing.
func (u *ui) ask(question state.Text) (answered func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	u.prompt = question
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
func (u *ui) show(line state.Text) {
	text := state.Printable(string(line))
	put(u.stderr, text)
	u.shown = columnsIn(text)
}

// result prints a line of the result.
func (u *ui) result(format string, args ...any) {
	line := state.Textf(format, args...)
	indent := len(line) - len(strings.TrimLeft(string(line), " ")) + 2
	u.print(u.stdout, indent, line)
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

// message prints a message about an account, or about no account, with what can be done
// about it, each in one line.
func (u *ui) message(account string, text state.Text, hints ...state.Text) {
	if account != "" {
		text = state.Textf("%s: %s", account, text)
	}
	lines := []state.Text{state.Textf("mailmoor: %s", text)}
	for _, hint := range hints {
		if hint != "" {
			lines = append(lines, state.Textf("  %s", hint))
		}
	}
	u.print(u.stderr, 4, lines...)
}

// failure prints an error of the account. The problems of a configuration are
// messages of their own.
func (u *ui) failure(account string, err error) {
	if e, ok := errors.AsType[*config.Error](err); ok {
		for _, p := range e.Problems {
			u.message("", state.TextOf(p))
		}
		return
	}
	if e, ok := errors.AsType[*config.NotFoundError](err); ok {
		lines := []state.Text{""}
		for line := range strings.Lines(config.Smallest) {
			lines = append(lines, state.Foreign(strings.TrimSpace(line)))
		}
		u.message("", state.TextOf(e)+"; this is the smallest configuration:", lines...)
		return
	}
	u.message(account, state.TextOf(err), hintOf(err))
}

// clear removes what show has put there. The caller holds the lock.
func (u *ui) clear() {
	if u.shown > 0 {
		put(u.stderr, "\r"+strings.Repeat(" ", u.shown)+"\r")
		u.shown = 0
	}
}

// help prints the text of a help, all of which is ours.
func (u *ui) help(w io.Writer, text string) { put(w, brokenHelp(text, u.columns(w))) }

// undraw takes the progress line away.
func (u *ui) undraw() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.prompt == "" {
		u.clear()
	}
}

// draw shows the progress line, in the first form that the terminal has room for, or cut.
func (u *ui) draw(forms ...state.Text) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.prompt != "" || len(forms) == 0 {
		return
	}
	width := u.columns(u.stderr)
	if width == 0 {
		width = 80
	}
	line := forms[len(forms)-1]
	for _, form := range forms {
		if columnsIn(string(form)) < width {
			line = form
			break
		}
	}
	runes := []rune(string(line))
	for len(runes) > 0 && columnsIn(string(runes)) >= width {
		runes = runes[:len(runes)-1]
	}
	u.clear()
	u.show(state.Foreign(string(runes)))
}
