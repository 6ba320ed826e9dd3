//go:build unix

package config

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// ownGroup puts the command into a process group of its own, and lets the end
// of its context kill the whole group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// checkPrivate says why the file may not hold a password: because others than
// the user can read it or change it.
func checkPrivate(file string, info os.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others can read this file (mode %04o); run: chmod 600 %s", mode, shellQuote(file))
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Getuid(); ok && int64(stat.Uid) != int64(uid) {
		return fmt.Errorf("this file belongs to the user with number %d, not to you (%d); run: chown %d %s",
			stat.Uid, uid, uid, shellQuote(file))
	}
	return nil
}

// shellQuote returns the text as one word of the shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
