package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mailmoor/test/lab"
)

// password is one that no other text contains.
const password = "xK7-unmistakable-9Qz"

// TestScripts runs every script of testdata.
func TestScripts(t *testing.T) {
	server := lab.Dovecot(t, lab.SpecialUse("Trash", "Sent", "Drafts"), lab.Password(password),
		lab.Quota(1<<30), lab.Config("plugin {\n  quota_max_mail_size = 3M\n}"))
	runScripts(t, "testdata", server)
}

// TestScriptsUnmarked runs those for a server that marks no mailbox.
func TestScriptsUnmarked(t *testing.T) {
	runScripts(t, "testdata/unmarked", lab.Dovecot(t, lab.Password(password)))
}

// runScripts runs the scripts of a directory against the server.
func runScripts(t *testing.T, dir string, server *lab.Server) {
	t.Helper()
	bin := build(t)
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setUp(env, server, bin) },
		Cmds:                commands(),
	})
}

// build builds the program once, with what the crash tests need in it, and returns the
// directory that it is in.
func build(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// built is build's; TestMain removes the directory.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-ldflags=-w", "-tags", "crashtest", "-o", filepath.Join(dir, "mailmoor"), "mailmoor/cmd/mailmoor").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return dir, nil
})

// setUp gives a script its user, its home and its configuration.
func setUp(env *testscript.Env, server *lab.Server, bin string) error {
	t, ok := env.T().(testing.TB)
	if !ok {
		return fmt.Errorf("%T is not a testing.TB", env.T())
	}
	user := "user-" + filepath.Base(env.WorkDir)
	account := &account{Server: server.On(t), t: t, user: user}
	account.User(user)
	env.Values[accountValue] = account
	home := filepath.Join(env.WorkDir, "home")
	tmp := filepath.Join(env.WorkDir, "scratch")
	conf := filepath.Join(home, ".config", "mailmoor")
	for _, dir := range []string{conf, tmp} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for key, value := range map[string]string{
		"PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"), "TMPDIR": tmp,
		"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, ".config"),
		"XDG_STATE_HOME": filepath.Join(home, ".local", "state"), "CONFIG": filepath.Join(conf, "config.toml"),
		"MAIL": filepath.Join(home, "Mail"), "STATE": filepath.Join(home, ".local", "state", "mailmoor"),
		"HOST": server.Host, "PORT": strconv.Itoa(server.Port), "CAFILE": server.CAFile,
		"USER": user, "PASSWORD": password, "DEADPORT": strconv.Itoa(lab.DeadPort(t)), "MAILMOOR_CRASH_AT": "",
	} {
		env.Setenv(key, value)
	}
	text := os.Expand(smallest, env.Getenv)
	return os.WriteFile(filepath.Join(conf, "config.toml"), []byte(text), 0o600)
}

// smallest is the configuration that every script begins with.
const smallest = `[account.personal]
host = "${HOST}"
port = ${PORT}
tls_ca = "${CAFILE}"
user = "${USER}"
password_command = "echo ${PASSWORD}"
maildir = "~/Mail"
`
