package lab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Courier starts a throw-away Courier 5.0 that stops with the test; variables
// such as "IMAP_KEYWORDS=0" are added to its environment, which is what its
// configuration file is. Everything after the login is Courier's own imapd, one
// process for each session. TLS and the login are ours, because Courier's have
// their paths compiled in: other addresses would need root and a mount
// namespace. A Maildir comes into being with the first login.
func Courier(t testing.TB, variables ...string) *Peer {
	t.Helper()
	return startPeer(t, "courier", func() (*Peer, error) { return startCourier(variables) })
}

// courierCapability is what Debian's configuration announces. More is added by
// imapd itself.
const courierCapability = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"

// courier is what a running Courier consists of.
type courier struct {
	*Peer
	env      []string
	listener net.Listener
	notifier *process
	log      *os.File

	mu       sync.Mutex
	sessions map[*courierSession]bool
	closed   bool
	wait     sync.WaitGroup
}

func startCourier(variables []string) (*Peer, error) {
	p, err := newPeer("courier")
	if err != nil {
		return nil, err
	}
	s := &courier{Peer: p, sessions: map[*courierSession]bool{}}
	s.env = append([]string{
		"IMAP_CAPABILITY=" + courierCapability,
		"IMAP_KEYWORDS=1", "IMAP_ACL=1", "IMAP_USELOCKS=1", "IMAP_UMASK=022", "IMAP_IDLE_TIMEOUT=1",
		"IMAP_TRASHFOLDERNAME=Trash", "IMAP_EMPTYTRASH=", "IMAP_OBSOLETE_CLIENT=0", "IMAP_CHECK_ALL_FOLDERS=0",
		"GAM_CLIENT_ID=" + s.notifierID(), "GAMIN_DEBUG_SERVER=" + filepath.Join(p.root, "usr/libexec/gam_server"),
	}, variables...)
	if err := s.start(); err != nil {
		return nil, errors.Join(err, p.discard())
	}
	p.addr = s.listener.Addr().String()
	p.end = once(s.stop)
	p.empty = s.emptyUser
	s.wait.Go(s.accept)
	if err := p.await(s.notifier.exited); err != nil {
		err = fmt.Errorf("%w; its log:\n%s", err, p.Log())
		p.end()
		return nil, err
	}
	return p, nil
}

// start makes what lies below the sessions. The notifier comes last: whoever
// stops it removes the directory.
func (s *courier) start() error {
	err := os.Mkdir(s.path("mail"), 0o755)
	if err := errors.Join(err, s.own(s.path("mail"))); err != nil {
		return err
	}
	if s.log, err = s.openLog(); err != nil {
		return err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return errors.Join(err, s.log.Close())
	}
	if err = s.startNotifier(); err != nil {
		return errors.Join(err, s.listener.Close(), s.log.Close())
	}
	return nil
}

// notifierID tells this server's notifier from those of others.
func (s *courier) notifierID() string { return "mailmoor-" + filepath.Base(s.dir) }

// startNotifier starts the process that tells sessions what others do in a
// mailbox. Without it each session would start one, which outlives it by a
// minute, and would complain when it cannot.
func (s *courier) startNotifier() error {
	cmd, err := s.command(false, s.env, "usr/libexec/gam_server", "--notimeout", s.notifierID())
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if s.notifier, err = startCommand(s.dir, cmd); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		sockets, err := os.ReadFile("/proc/net/unix")
		if err == nil && strings.Contains(string(sockets), s.notifierID()) {
			return nil
		}
	}
	s.notifier.stop()
	return errors.New("the notifier opened no socket in time")
}

// accept begins a session for each connection.
func (s *courier) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		session := newCourierSession(s, conn)
		s.mu.Lock()
		if s.closed {
			_ = conn.Close()
		} else {
			s.sessions[session] = true
			s.wait.Go(session.serve)
		}
		s.mu.Unlock()
	}
}

// forget is called by a session that has ended.
func (s *courier) forget(session *courierSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session)
}

// stop ends all sessions and waits for them.
func (s *courier) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for session := range s.sessions {
		_ = session.conn.Close()
	}
	s.mu.Unlock()
	// It takes the sessions' processes with it, which are in its group.
	s.notifier.stop()
	s.wait.Wait()
	_ = s.log.Close()
}

func (s *courier) home(user string) string { return s.path("mail", user) }

// emptyUser removes the user's home.
func (s *courier) emptyUser(user string) error { return os.RemoveAll(s.home(user)) }

// imapd prepares the process of a session that has logged in with this tag.
func (s *courier) imapd(user, tag string) (*exec.Cmd, error) {
	if err := s.makeHome(user); err != nil {
		return nil, err
	}
	env := append([]string{
		"HOME=" + s.home(user), "AUTHENTICATED=" + user, "AUTHADDR=" + user, "IMAPLOGINTAG=" + tag,
		"TCPREMOTEIP=127.0.0.1", "TCPREMOTEPORT=1",
	}, s.env...)
	cmd, err := s.command(false, env, "usr/bin/imapd", "Maildir")
	if err != nil {
		return nil, err
	}
	cmd.Dir = s.home(user)
	cmd.Stderr = s.log
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pgid = s.notifier.cmd.Process.Pid
	return cmd, nil
}

// makeHome makes the home of a user who logs in for the first time.
func (s *courier) makeHome(user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maildir := filepath.Join(s.home(user), "Maildir")
	if _, err := os.Stat(maildir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.MkdirAll(s.home(user), 0o700)
	if err := errors.Join(err, s.own(s.home(user))); err != nil {
		return err
	}
	return s.run(nil, "usr/bin/maildirmake.courier", maildir)
}

// relayBody copies from one side of a session to the other until either ends.
func relayBody(to io.WriteCloser, from io.Reader) {
	_, _ = io.Copy(to, from) // how a session ends is the client's affair
	_ = to.Close()
}
