package lab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Peer is a running server other than Dovecot: [Cyrus] or [Courier]. Its
// methods act as another client of its accounts and fail the test when they
// cannot do what they are asked to.
type Peer struct {
	// Name is that of the server, Version that of its Debian package.
	Name, Version string
	// CAFile holds the authority that signed the server's certificate, as PEM.
	CAFile string

	client
	dir   string
	id    *identity
	owner owner
	root  string // where make servers has put the server's files
	// empty removes all mail of a user.
	empty func(user string) error
	// end stops what belongs to the server; it may be called more than once.
	end func()
}

// newPeer prepares a server that is not running yet. What fails after it must
// call discard.
func newPeer(name string) (*Peer, error) {
	root, version, err := findPeer(name)
	if err != nil {
		return nil, err
	}
	// Unix sockets allow only short paths, and the server's user must be able
	// to enter: t.TempDir gives neither.
	dir, err := os.MkdirTemp(serversDir(), "lab")
	if err != nil {
		return nil, err
	}
	p := &Peer{Name: name, Version: version, dir: dir, root: root}
	p.password = "secret"
	if p.owner, err = mailOwner(); err == nil {
		p.id, err = newIdentity(dir)
	}
	if err := errors.Join(err, os.Chmod(dir, 0o755)); err != nil {
		return nil, errors.Join(err, p.discard())
	}
	p.CAFile = p.id.caFile
	p.tls = &tls.Config{RootCAs: p.id.pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	return p, nil
}

// discard removes what a server that did not start has left.
func (p *Peer) discard() error { return os.RemoveAll(p.dir) }

// attach makes the server end with the test.
func (p *Peer) attach(t testing.TB) {
	p.t = t
	t.Cleanup(func() {
		if t.Failed() {
			log := p.Log()
			t.Logf("end of the server's log:\n%s", log[max(0, len(log)-shownLogBytes):])
		}
		p.Stop()
	})
}

// On returns the same server with t as the test that its methods fail.
func (p *Peer) On(t testing.TB) *Peer {
	bound := *p
	bound.t = t
	return &bound
}

// Bind is [Peer.On] for those who do not care which server it is.
func (p *Peer) Bind(t testing.TB) IMAP { return p.On(t) }

// Stop kills the server and removes everything it stored. The end of the test
// does it; more calls do nothing.
func (p *Peer) Stop() { p.end() }

// Addr returns host:port of the implicit TLS port.
func (p *Peer) Addr() string { return p.addr }

// TLS returns a client configuration that trusts the server.
func (p *Peer) TLS() *tls.Config { return p.tls.Clone() }

func (p *Peer) certificate() tls.Certificate { return p.id.leaf }

// User returns the user without any mail: what there was is removed. Users
// need not be created: every name may log in.
func (p *Peer) User(name string) *User {
	p.t.Helper()
	if err := p.empty(name); err != nil {
		p.t.Fatalf("remove the mail of %s: %v", name, err)
	}
	return &User{Name: name, Password: p.password}
}

// Log returns what the server has said to its standard error. Cyrus says most
// of it to syslog.
func (p *Peer) Log() string {
	log, err := os.ReadFile(p.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// path returns a path in the directory of this server.
func (p *Peer) path(elements ...string) string {
	return filepath.Join(append([]string{p.dir}, elements...)...)
}

// command prepares a program of the server, which runs as the owner of the
// mail unless asRoot, with the server's own libraries and an environment of
// nothing else but env.
func (p *Peer) command(asRoot bool, env []string, program string, args ...string) (*exec.Cmd, error) {
	libraries := []string{filepath.Join(p.root, "usr/lib")}
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(p.root, pattern))
		if err != nil {
			return nil, err
		}
		libraries = append(libraries, found...)
	}
	cmd := exec.Command(filepath.Join(p.root, program), args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 && !asRoot {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(p.owner.uid), Gid: uint32(p.owner.gid)}
	}
	return cmd, nil
}

// run runs a program of the server to its end as the owner of the mail.
func (p *Peer) run(env []string, program string, args ...string) error {
	cmd, err := p.command(false, env, program, args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", program, err, out)
	}
	return nil
}

// openLog is where the server's standard error goes.
func (p *Peer) openLog() (*os.File, error) {
	return os.OpenFile(p.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// own gives the paths to the owner of the mail.
func (p *Peer) own(paths ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var failed error
	for _, path := range paths {
		failed = errors.Join(failed, os.Chown(path, p.owner.uid, p.owner.gid))
	}
	return failed
}

// await returns when the server greets over TLS, which proves that it is ours.
func (p *Peer) await(ended <-chan struct{}) error {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		select {
		case <-ended:
			return errEarlyEnd
		case <-time.After(2 * time.Millisecond):
		}
		dialer := &net.Dialer{Timeout: startTimeout}
		conn, err := tls.DialWithDialer(dialer, "tcp", p.addr, p.tls)
		if err != nil {
			continue
		}
		_ = conn.SetDeadline(deadline)
		line, err := bufio.NewReader(conn).ReadString('\n')
		_ = conn.Close()
		if err == nil && strings.HasPrefix(line, "* OK ") {
			return nil
		}
	}
	return errors.New("no greeting came in time")
}

// errEarlyEnd is also what becomes of a server whose port somebody else took
// between its choice and its use.
var errEarlyEnd = errors.New("the server ended before its greeting")

// startPeer starts a server for the test; a port that is taken is not the end.
func startPeer(t testing.TB, name string, start func() (*Peer, error)) *Peer {
	t.Helper()
	requirePeer(t, name)
	for tries := 1; ; tries++ {
		p, err := start()
		if err == nil {
			p.attach(t)
			return p
		}
		if tries == startTries || !errors.Is(err, errEarlyEnd) {
			t.Fatalf("start %s: %v", name, err)
		}
	}
}

// requirePeer is [Require] for a server that make servers brings.
func requirePeer(t testing.TB, name string) {
	t.Helper()
	if _, _, err := findPeer(name); err != nil {
		if serversPromised() {
			t.Fatalf("%v; CI and MAILMOOR_REQUIRE_SERVERS=1 do not allow skipping", err)
		}
		t.Skip(err)
	}
}

// findPeer returns where peers.sh has put the server, and its version.
func findPeer(name string) (root, version string, err error) {
	bases := []string{"/var/lib"}
	if cache, err := os.UserCacheDir(); err == nil && os.Geteuid() != 0 {
		bases = append([]string{cache}, bases...)
	}
	for _, base := range bases {
		root := filepath.Join(base, "mailmoor-lab", name)
		if version, err := os.ReadFile(filepath.Join(root, "VERSION")); err == nil {
			return root, strings.TrimSpace(string(version)), nil
		}
	}
	return "", "", fmt.Errorf("%s is not installed for the tests; on Debian 12: make servers", name)
}

// once makes a function that may be called more often than it does anything.
func once(do func()) func() { return sync.OnceFunc(do) }
