//go:build linux

package wire

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
)

const (
	dovecotImap = "/usr/lib/dovecot/imap"
	dovecotConf = `base_dir = %[1]s/run
log_path = /dev/null
mail_home = %[1]s/home
mail_location = maildir:~/Maildir
ssl = no
first_valid_uid = 1
namespace inbox {
  inbox = yes
}
`
	nobody = 65534
)

// dovecot starts Dovecot's IMAP process on one end of a socket pair, without
// daemon and login, and returns the other end.
func dovecot(t *testing.T) net.Conn {
	t.Helper()
	if _, err := os.Stat(dovecotImap); err != nil {
		t.Skip("Dovecot is not installed")
	}
	// Not t.TempDir: Dovecot refuses to run as root, and that is root's alone.
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "dovecot.conf")
	fds, pairErr := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	for _, err := range []error{
		pairErr, os.Mkdir(filepath.Join(dir, "home"), 0o700),
		os.WriteFile(conf, fmt.Appendf(nil, dovecotConf, dir), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	cmd := exec.Command(dovecotImap, "-c", conf)
	cmd.Env = []string{"USER=u1", "HOME=" + filepath.Join(dir, "home"), "PATH=/usr/bin:/bin"}
	cmd.Stdin, cmd.Stdout = theirs, theirs
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for _, path := range []string{dir, filepath.Join(dir, "home")} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		_ = cmd.Wait()
	})
	return conn
}

func TestDovecot(t *testing.T) {
	cfg := testConfig()
	cfg.Version = "test"
	conn, err := open(context.Background(), cfg.withDefaults(), dovecot(t))
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(conn, nil)
	defer c.Close()
	if !conn.Capabilities().Has("LITERAL+") || c.Caps().Has(imap.CapLiteralPlus) {
		t.Fatalf("LITERAL+ is announced %v, seen by go-imap %v", conn.Capabilities(), c.Caps())
	}
	var cmds []*imapclient.AppendCommand
	want := map[imap.UID]string{}
	for i := range 50 {
		body := fmt.Sprintf("Subject: %d\r\n\r\n{%d}\r\n", i, i) + strings.Repeat("T1 LOGOUT\r\n", i*13)
		if i == 30 {
			body += strings.Repeat("large\r\n", pipelineBytesMax/7)
		}
		want[imap.UID(i+1)] = body
		cmds = append(cmds, appendMessage(t, c, body))
	}
	for i, cmd := range cmds {
		data, err := cmd.Wait()
		if err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		if data.UID != imap.UID(i+1) {
			t.Errorf("append %d got UID %d", i, data.UID)
		}
	}
	if err := c.Create("Entwürfe & R", nil).Wait(); err != nil {
		t.Error(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	got, err := fetchBodies(c, imap.UIDSet{{Start: 1, Stop: 50}})
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(want, got) {
		t.Error("the messages came back changed")
	}
	if notes := conn.Take(); len(notes.Repaired) > 0 {
		t.Errorf("something of Dovecot's was repaired: %q", notes.Repaired)
	}
	if err := c.Logout().Wait(); err != nil {
		t.Error(err)
	}
}
