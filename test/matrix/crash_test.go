package matrix_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"mailmoor/test/chance"
	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

var (
	fullFlag = flag.Bool("full", false, "kill the program until it comes to its end, and without each extension")
	seedFlag = flag.Uint64("seed", 0, "kill at the effects of this seed again")
)

// killsMax is more than a run has effects; sharedKills is how often the program is
// killed without -full.
const (
	killsMax    = 400
	sharedKills = 3
)

// TestCrash: the program is killed again and again in the middle of its work, and
// in the end both sides hold what they should, each message once.
func TestCrash(t *testing.T) {
	eachServer(t, func(t *testing.T, row matrix.Server, srv lab.IMAP) {
		newAccount(t, srv).crash(row.Name, "")
	})
}

// TestCrashMasks does the same whatever Dovecot lacks; without -full only on plain
// RFC 3501.
func TestCrashMasks(t *testing.T) {
	masks := []matrix.Mask{matrix.Plain()}
	if *fullFlag {
		masks = matrix.Masks()
	}
	eachMask(t, masks, func(t *testing.T, mask matrix.Mask, srv lab.IMAP) {
		newAccount(t, srv, mask...).crash("Dovecot", mask.String())
	})
}

// crash lets both sides change in all ways at once and kills what should bring
// them in step.
func (a *account) crash(server, mask string) {
	a.Helper()
	a.deliver("INBOX", "a", "b", "c", "d", "e", "f")
	a.deliver("Drafts", "g")
	a.rest()
	a.deliver("INBOX", "h", "i")
	a.put("INBOX", "j", "S", body("j"))
	a.put("Archive", "k", "", body("k"))
	a.flag("INBOX", "a", "R")
	a.letters("INBOX", "a", "F")
	a.must(os.Remove(a.file("INBOX", "b")))
	a.srv.Expunge(a.user.Name, "INBOX", a.uid("INBOX", "c"))
	from := a.file("INBOX", "d")
	a.must(os.Rename(from, filepath.Join(a.folder("Archive"), "cur", filepath.Base(from))))
	a.srv.Move(a.user.Name, "INBOX", a.uid("INBOX", "e"), a.mailbox("Archive"))
	a.letters("Drafts", "g", "DS")
	a.edit("Drafts", "g", body("g2"))
	a.makeFolder("Made")
	a.put("Made", "l", "", body("l"))

	kills := a.killRuns()
	a.rest()
	a.expect("INBOX/a:FR", "INBOX/f:", "INBOX/h:", "INBOX/i:", "INBOX/j:S", "Archive/d:", "Archive/e:", "Archive/k:", "Trash/b:", "Drafts/g2:DS")
	if made := a.srv.Messages(a.user.Name, a.ns.Name("Made")); len(made) != 1 || tokenOf(made[0].Body) != "l" {
		a.Errorf("the new folder's mailbox has %d messages, want l", len(made))
	}
	record(a.T, server, mask, false, kills)
}

// killRuns runs the program until a run ends by itself, killed one effect later
// each time, or some effects later, and returns how often it was killed.
func (a *account) killRuns() int {
	a.Helper()
	command, env := a.program()
	seed := chance.Seed(*seedFlag)
	a.Logf("repeat with -seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	at, step := 1, func() int { return 1 }
	if !*fullFlag {
		step = func() int { return 1 + random.IntN(12) }
		at = step()
	}
	killed := 0
	for ; at < killsMax && (*fullFlag || killed < sharedKills); at += step() {
		cmd := exec.Command(command, "sync")
		cmd.Env = append(slices.Clone(env), fmt.Sprintf("MAILMOOR_CRASH_AT=%d", at))
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		switch {
		case err == nil:
			if killed == 0 {
				a.Fatal("no run was killed: the test proves nothing")
			}
			return killed
		case errors.As(err, &failed) && failed.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
			killed++
		default:
			a.Fatalf("the run that was to be killed at effect %d: %v\n%s", at, err, out)
		}
	}
	return killed
}

// rest runs until a run does nothing.
func (a *account) rest() {
	a.Helper()
	for range 5 {
		if report := a.sync(); report.Quiet {
			return
		}
	}
	a.Fatal("five runs were not enough to come to rest")
}

// scratch is a directory for the whole test process; TestMain removes it.
var scratch = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "matrix")
	if err != nil {
		return ""
	}
	return dir
})

// programPath is the program that kills itself, built once.
var programPath = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch(), "mailmoor")
	out, err := exec.Command("go", "build", "-ldflags=-w", "-tags", "crashtest", "-o", path, "mailmoor/cmd/mailmoor").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

// program returns the program and its environment, configured for the account, with
// these lines beside what must be there.
func (a *account) program(lines ...string) (path string, env []string) {
	a.Helper()
	path, err := programPath()
	a.must(err)
	host, port, err := net.SplitHostPort(a.proxy.Addr())
	a.must(err)
	var authority string
	switch srv := a.srv.(type) {
	case *lab.Server:
		authority = srv.CAFile
	case *lab.Peer:
		authority = srv.CAFile
	}
	home := a.TempDir()
	text := fmt.Sprintf("state_dir = %q\n[account.test]\nhost = %q\nport = %s\ntls_ca = %q\nuser = %q\npassword = %q\nmaildir = %q\n",
		a.state, host, port, authority, a.user.Name, a.user.Password, a.root) + strings.Join(lines, "\n")
	a.must(os.MkdirAll(filepath.Join(home, "mailmoor"), 0o700))
	a.must(os.WriteFile(filepath.Join(home, "mailmoor", "config.toml"), []byte(text), 0o600))
	return path, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH")}
}
