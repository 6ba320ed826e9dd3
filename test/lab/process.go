package lab

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// leashScript waits until its standard input ends, which happens when the test
// lets go or dies for any reason, then kills the process group $1 and removes
// the directory $2. Removal is repeated for what a dying process still wrote.
const leashScript = `read -r line
kill -s KILL -- "-$1"
tries=0
until rm -rf -- "$2" 2>/dev/null || [ "$tries" -gt 50 ]; do
	tries=$((tries + 1)); sleep 0.02
done`

// process is a daemon with its children in a process group of their own, kept
// on a leash: it cannot outlive the test, not even one that is killed.
type process struct {
	cmd   *exec.Cmd
	leash *exec.Cmd
	hold  io.Closer
	// exited is closed when the daemon itself has ended.
	exited chan struct{}
}

// startProcess runs the program. Its directory dir is removed when it stops.
func startProcess(dir, program string, args ...string) (*process, error) {
	return startCommand(dir, exec.Command(program, args...))
}

// startCommand is startProcess for a command with a user or an environment of
// its own.
func startCommand(dir string, cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // it ends by our signal, or its log tells why
	}()
	p.leash = exec.Command("sh", "-c", leashScript, "leash", strconv.Itoa(p.cmd.Process.Pid), dir)
	p.leash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := p.leash.StdinPipe()
	if err == nil {
		err = p.leash.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the leash: %w", err),
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL))
	}
	p.hold = hold
	return p, nil
}

// stop kills the daemon with all its children, waits for it and removes its
// directory. SIGKILL is right here: an orderly shutdown of Dovecot takes more
// than two seconds and nobody needs the data.
func (p *process) stop() {
	_ = p.hold.Close()
	<-p.exited
	_ = p.leash.Wait() // its status is that of the last rm or kill
}
