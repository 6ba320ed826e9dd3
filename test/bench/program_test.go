package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mailmoor/test/lab"
)

// program is one of the two that are compared. It keeps its tree and its state in home.
type program struct {
	name    string
	home    string
	command []string
}

// host is the server's name in its certificate: mbsync takes no address there.
const host = "localhost"

// folder returns where a program keeps a mailbox; both do it in the same way.
func (p program) folder(mailbox string) string { return filepath.Join(p.home, "tree", mailbox) }

// mailmoor returns ours, which syncs a user's account through the port.
func mailmoor(t testing.TB, dir, binary, user string, port int, srv *lab.Server) program {
	t.Helper()
	home := filepath.Join(dir, "mailmoor")
	conf := write(t, home+".toml", fmt.Sprintf(`state_dir = %q
[account.bench]
host = %q
port = %d
user = %q
password = "secret"
maildir = %q
tls_ca = %q
`, filepath.Join(home, "state"), host, port, user, filepath.Join(home, "tree"), srv.CAFile))
	return program{"mailmoor", home, []string{binary, "sync", "--config", conf, "--quiet"}}
}

// mbsync returns the other one. It syncs files to the disk, as it does by itself.
func mbsync(t testing.TB, dir, user string, port int, srv *lab.Server) program {
	t.Helper()
	home := filepath.Join(dir, "mbsync")
	conf := write(t, home+".rc", fmt.Sprintf(`IMAPAccount bench
Host %s
Port %d
User %s
Pass secret
SSLType IMAPS
CertificateFile %s

IMAPStore remote
Account bench

MaildirStore local
Path %s/
Inbox %s
SubFolders Verbatim

Channel bench
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
CopyArrivalDate yes
SyncState %s/
`, host, port, user, srv.CAFile, filepath.Join(home, "tree"), filepath.Join(home, "tree", inbox), filepath.Join(home, "state")))
	return program{"mbsync", home, []string{"mbsync", "-q", "-c", conf, "bench"}}
}

// empty gives the program a home with nothing in it.
func (p program) empty() error {
	err := os.Mkdir(p.home, 0o700)
	for _, sub := range []string{"tree", "state"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(p.home, sub), 0o700)
		}
	}
	return err
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// build returns Mailmoor as other tests build it.
func build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "mailmoor")
	cmd := exec.Command("go", "build", "-ldflags=-w", "-o", binary, "mailmoor/cmd/mailmoor")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
