package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"mailmoor/test/corpus"
)

// onTerminal runs the program on a terminal, answers a prompt for the password,
// and returns what was on the screen.
func (p *program) onTerminal(t *testing.T, extra []string, args ...string) (code int, screen string) {
	t.Helper()
	cmd := exec.Command(p.command, args...)
	cmd.Env = append(slices.Clone(p.env), extra...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var out bytes.Buffer
	buffer := make([]byte, 4096)
	answered := false
	for {
		n, err := terminal.Read(buffer)
		out.Write(buffer[:n])
		if !answered && bytes.Contains(out.Bytes(), []byte("Password of")) && bytes.HasSuffix(out.Bytes(), []byte(": ")) {
			answered = true
			if _, err := terminal.WriteString(password + "\n"); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			// The end of a terminal is an error of the device.
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) {
				t.Fatal(err)
			}
			return codeOf(cmd.Wait()), out.String()
		}
	}
}

// TestPasswordPrompt asks on the terminal once, for all connections, and shows
// nothing of the answer.
func TestPasswordPrompt(t *testing.T) {
	p := newProgram(t)
	p.reconfigure(t, regexp.MustCompile(`(?m)^password_command.*\n`), "")
	for _, mailbox := range []string{"INBOX", "A", "B", "C", "D", "E", "F", "G"} {
		p.server.Load(p.user, mailbox, slices.Collect(corpus.Generate(corpus.Options{Count: 2})))
	}
	code, screen := p.onTerminal(t, nil, "sync")
	if code != 0 || !strings.Contains(screen, "16 downloaded") {
		t.Fatalf("exit code %d:\n%s", code, screen)
	}
	if n := strings.Count(screen, "Password of "+p.user); n != 1 {
		t.Errorf("it asked %d times:\n%s", n, screen)
	}
	if strings.Contains(screen, password) {
		t.Errorf("the password was on the screen:\n%s", screen)
	}
}

// TestProgressLine shows how far a run is on a terminal, and takes that away
// again before the closing line.
func TestProgressLine(t *testing.T) {
	p := newProgram(t)
	p.server.Load(p.user, "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 1500})))
	code, screen := p.onTerminal(t, []string{"TERM=xterm"}, "sync")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, screen)
	}
	if !regexp.MustCompile(`personal: \d+ %, \d+ of 1500 messages, \d`).MatchString(screen) {
		t.Errorf("no progress was shown:\n%q", screen)
	}
	// Until the first transfer there was nothing to see, however long the server took.
	if at := strings.Index(screen, "personal: looking what is there"); at < 0 || at > strings.Index(screen, " of 1500 messages") {
		t.Errorf("nothing was shown at first:\n%q", screen)
	}
	if !regexp.MustCompile(`\r +\rpersonal: in step; 1500 downloaded`).MatchString(screen) {
		t.Errorf("the progress line was not cleared before the closing one:\n%q", screen)
	}
	if strings.Contains(screen, "\x1b[") {
		t.Errorf("there are escape sequences in the output:\n%q", screen)
	}
	code, screen = p.onTerminal(t, []string{"TERM=xterm"}, "sync", "--quiet")
	if code != 0 || screen != "" {
		t.Errorf("--quiet: exit code %d, %q", code, screen)
	}
}

// reconfigure replaces text of the configuration.
func (p *program) reconfigure(t *testing.T, what *regexp.Regexp, by string) {
	t.Helper()
	file := filepath.Join(filepath.Dir(p.mail), "mailmoor", "config.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, what.ReplaceAll(text, []byte(by)), 0o600); err != nil {
		t.Fatal(err)
	}
}
