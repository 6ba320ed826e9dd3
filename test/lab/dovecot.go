package lab

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	startTries   = 5
	startTimeout = 20 * time.Second
	// shownLogBytes is how much of the end of its log a failed test shows.
	shownLogBytes = 16 << 10
)

// Server is a running IMAP server. Its methods fail the test when they cannot
// do what they are asked to.
type Server struct {
	Host      string // 127.0.0.1, unless an option says otherwise
	Port      int    // implicit TLS
	PlainPort int    // plain text and STARTTLS
	// CA is the authority that signed the server's certificate; CAFile holds it
	// as PEM.
	CA     *x509.CertPool
	CAFile string
	// Password is that of every user. Users need not be created: every name may
	// log in, and starts with an empty home.
	Password string

	t        testing.TB
	dir      string
	id       *identity
	owner    owner
	greeting string
	process  *process
	stop     *sync.Once
	// users is how many NewUser has returned.
	users *atomic.Int32
}

// User is an account on the server.
type User struct {
	Name, Password string
	Home           string // directory that holds its Maildir
}

// Dovecot starts a throw-away Dovecot 2.3 that stops with the test. It takes
// about 50 ms, so a test can have one of its own; where many only need users of
// their own, [Shared] costs less. It runs as root (the mail
// then belongs to nobody) and as an ordinary user. When the test fails the
// server's log is printed.
func Dovecot(t testing.TB, opts ...Option) *Server {
	t.Helper()
	Require(t, "dovecot")
	srv, err := Start(opts...)
	if err != nil {
		t.Fatalf("start dovecot: %v", err)
	}
	srv.t = t
	t.Cleanup(func() {
		srv.showLog()
		srv.Stop()
	})
	return srv
}

// showLog prints the end of the server's log if the test has failed.
func (srv *Server) showLog() {
	if srv.t.Failed() {
		log := srv.Log()
		srv.t.Logf("end of the server's log:\n%s", log[max(0, len(log)-shownLogBytes):])
	}
}

// Start starts a server that belongs to no test, for use in TestMain. Bind it
// to a test with [Server.On] before calling its methods; end it with Stop.
func Start(opts ...Option) (*Server, error) {
	s := newSettings(opts)
	var err error
	for range startTries {
		var srv *Server
		if srv, err = start(s); err == nil {
			return srv, nil
		}
		// Between choosing a free port and using it somebody else may take it.
		if !strings.Contains(err.Error(), "Address already in use") {
			break
		}
	}
	return nil, err
}

// start makes one attempt. It leaves nothing behind when it fails.
func start(s *settings) (srv *Server, err error) {
	// Unix sockets allow only short paths, and nobody must be able to enter:
	// t.TempDir gives neither.
	dir, err := os.MkdirTemp(serversDir(), "lab")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	srv = &Server{
		Host: s.host, Password: s.password, dir: dir,
		greeting: "lab " + rand.Text(), stop: new(sync.Once), users: new(atomic.Int32),
	}
	if srv.owner, err = mailOwner(); err != nil {
		return nil, err
	}
	mail := filepath.Join(dir, "mail")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(mail, 0o755), srv.own(mail)); err != nil {
		return nil, err
	}
	if srv.id, err = newIdentity(dir); err != nil {
		return nil, err
	}
	srv.CA, srv.CAFile = srv.id.pool, srv.id.caFile
	for _, port := range []*int{&srv.Port, &srv.PlainPort} {
		var release func()
		if *port, release, err = reservePort(s.host); err != nil {
			return nil, err
		}
		defer release() // the server listens on it by then
	}
	conf := filepath.Join(dir, "dovecot.conf")
	if err := writeFile(conf, []byte(s.config(srv)), 0o644); err != nil {
		return nil, err
	}
	if srv.process, err = startProcess(dir, "dovecot", "-F", "-c", conf); err != nil {
		return nil, err
	}
	if err := srv.await(); err != nil {
		err = fmt.Errorf("%w; its log:\n%s", err, srv.Log())
		srv.Stop()
		return nil, err
	}
	return srv, nil
}

// await returns when the server greets.
func (srv *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		select {
		case <-srv.process.exited:
			return errors.New("the server ended before its greeting")
		case <-ctx.Done():
			return errors.New("no greeting came in time")
		case <-time.After(2 * time.Millisecond):
		}
		if srv.greets(ctx) {
			return nil
		}
	}
}

func (srv *Server) greets(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", srv.PlainAddr())
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(startTimeout))
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.Contains(line, srv.greeting)
}

// On returns the same server with t as the test that its methods fail.
func (srv *Server) On(t testing.TB) *Server {
	bound := *srv
	bound.t = t
	return &bound
}

// Stop kills the server and removes everything it stored. The test of
// [Dovecot] does it at its end; more calls do nothing.
func (srv *Server) Stop() { srv.stop.Do(srv.process.stop) }

// Addr returns host:port of the implicit TLS port.
func (srv *Server) Addr() string { return net.JoinHostPort(srv.Host, strconv.Itoa(srv.Port)) }

// PlainAddr returns host:port of the port for plain text and STARTTLS.
func (srv *Server) PlainAddr() string {
	return net.JoinHostPort(srv.Host, strconv.Itoa(srv.PlainPort))
}

// TLS returns a client configuration that trusts the server.
func (srv *Server) TLS() *tls.Config {
	return &tls.Config{RootCAs: srv.CA, ServerName: srv.Host, MinVersion: tls.VersionTLS12}
}

// Log returns what the server has logged.
func (srv *Server) Log() string {
	log, err := os.ReadFile(filepath.Join(srv.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// User returns the user with an empty home: what it had is removed.
func (srv *Server) User(name string) *User {
	srv.t.Helper()
	home := srv.home(name)
	if err := os.RemoveAll(home); err != nil {
		srv.t.Fatalf("empty the home of %s: %v", name, err)
	}
	return &User{Name: name, Password: srv.Password, Home: home}
}

// NewUser returns a user with an empty home whom nobody has used. All have names of
// equal length: what is said about them is, too.
func (srv *Server) NewUser() *User {
	srv.t.Helper()
	return srv.User(fmt.Sprintf("u%04d", srv.users.Add(1)))
}

func (srv *Server) home(name string) string { return filepath.Join(srv.dir, "mail", name) }

// own gives the path to the owner of the mail.
func (srv *Server) own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, srv.owner.uid, srv.owner.gid)
}
