package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// commandLimit is the time that a command has, and askingLimit where somebody sits at a
	// terminal, who may have to find a passphrase for the window that pops up.
	commandLimit = 30 * time.Second
	askingLimit  = 90 * time.Second
	// commandGrace is how long output is waited for after the command ended,
	// when something that it started still holds its pipes.
	commandGrace = time.Second
	// secretBytesMax bounds what a command may print.
	secretBytesMax = 64 << 10
	// complaintBytesMax bounds how much of the end of its stderr is repeated.
	complaintBytesMax = 2 << 10
)

var (
	errNoOutput  = errors.New("it printed nothing")
	errLongPrint = fmt.Errorf("it printed more than %d bytes", secretBytesMax)
)

// runSecretCommand runs the command and returns the first line of its output.
// The command gets no terminal and no input, so it cannot wait for an answer
// that nobody can give, and a process group of its own, so that what it started
// ends with it when time is up.
func runSecretCommand(ctx context.Context, command []string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not end within %s", limit))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	stdout := &head{full: func() { stop(errLongPrint) }}
	stderr := &tail{}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = commandGrace
	ownGroup(cmd)

	err := cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	// Without a deadline reached the command itself ended well; an agent that
	// it left running keeps its pipes open and does no harm.
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("%w%s", err, stderr.complaint())
	}
	line, _, _ := strings.Cut(stdout.text.String(), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", fmt.Errorf("%w%s", errNoOutput, stderr.complaint())
	}
	if err := checkSecret(line); err != nil {
		return "", fmt.Errorf("its first line %w", err)
	}
	return line, nil
}

// head keeps what is written to it up to a limit.
type head struct {
	text bytes.Buffer
	full func() // called when there was more
}

// Write never fails: a command that dies of a broken pipe would say less than
// full does.
func (h *head) Write(p []byte) (int, error) {
	room := secretBytesMax - h.text.Len()
	if len(p) > room {
		h.full()
	}
	h.text.Write(p[:min(len(p), room)])
	return len(p), nil
}

// tail keeps the end of what is written to it.
type tail struct {
	text []byte
	cut  bool
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - complaintBytesMax; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// complaint returns what was written as the end of a sentence, with control
// characters escaped so that it can do nothing to a terminal or a log.
func (t *tail) complaint() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.text), "?"))
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("; it said: ")
	if t.cut {
		b.WriteString("...")
	}
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
