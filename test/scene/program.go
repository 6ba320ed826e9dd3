package scene

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Program builds the program, once in a test process, and
// returns its path. [RemoveProgram] removes it.
var Program = sync.OnceValues(func() (string, error) {
	dir, err := programDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mailmoor")
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", path, "mailmoor/cmd/mailmoor").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

var programDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "program") })

// RemoveProgram removes what Program built. TestMain calls it at its end.
func RemoveProgram() error {
	dir, err := programDir()
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Command returns the built program, ready to run on the account of the stage.
func (s *Stage) Command(ctx context.Context, args ...string) *exec.Cmd {
	s.Helper()
	path, err := Program()
	s.must(err)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{
		"HOME=" + s.Home, "XDG_CONFIG_HOME=" + filepath.Join(s.Home, ".config"),
		"XDG_STATE_HOME=" + filepath.Join(s.Home, ".state"), "TMPDIR=" + s.Home, "PATH=" + os.Getenv("PATH"),
	}
	return cmd
}

// Route makes the program connect to host:port from now on. secure is false for
// a port without TLS.
func (s *Stage) Route(host string, port int, secure bool) {
	s.Helper()
	s.host, s.port, s.secure = host, port, secure
	tls := `tls = "none"`
	if secure {
		tls = fmt.Sprintf("tls_ca = %q", s.Server.CAFile)
	}
	text := fmt.Sprintf("[account.%s]\nhost = %q\nport = %d\n%s\nuser = %q\npassword = %q\nmaildir = %q\n",
		accountName, host, port, tls, s.User, s.Server.Password, s.Root)
	dir := filepath.Join(s.Home, ".config", "mailmoor")
	s.must(os.MkdirAll(dir, 0o700))
	s.must(os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600))
}
