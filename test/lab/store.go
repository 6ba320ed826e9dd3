package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

// Doveadm runs doveadm against the server and returns its standard output.
func (srv *Server) Doveadm(args ...string) string {
	srv.t.Helper()
	cmd := exec.Command("doveadm", append([]string{"-c", filepath.Join(srv.dir, "dovecot.conf")}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		srv.t.Fatalf("doveadm %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// MailboxDir returns the directory in which the server keeps the mailbox, with
// cur, new and tmp in it.
func (srv *Server) MailboxDir(user, mailbox string) string {
	srv.t.Helper()
	return strings.TrimSpace(srv.Doveadm("mailbox", "path", "-u", user, mailbox))
}

// Load puts messages into the mailbox by writing files into the server's
// store, thousands in a second. The mailbox is created if it does not exist;
// no client should have it open. UIDs follow the order of the messages. Dovecot
// keeps line ends as LF and sends CRLF, so a bare LF does not survive.
func (srv *Server) Load(user, mailbox string, messages []corpus.Message) {
	srv.t.Helper()
	dir := srv.MailboxDir(user, mailbox)
	if _, err := os.Stat(filepath.Join(dir, "cur")); errors.Is(err, fs.ErrNotExist) {
		if mailbox == "INBOX" {
			// The first SELECT creates it.
			srv.withMailbox(user, mailbox, func(*imapclient.Client, *imap.SelectData) error { return nil })
		} else {
			srv.CreateMailbox(user, mailbox)
		}
	}
	passed, err := srv.keywordLetter(dir, "$Forwarded")
	if err != nil {
		srv.t.Fatalf("load %q of %s: %v", mailbox, user, err)
	}
	// Dovecot gives UIDs in the order of the file names, which begin with the
	// time of delivery.
	started := time.Now().UnixMicro()
	for i, m := range messages {
		if err := srv.deliver(dir, started+int64(i), passed, m); err != nil {
			srv.t.Fatalf("load %s into %q of %s: %v", m.Token, mailbox, user, err)
		}
	}
}

func (srv *Server) deliver(dir string, number int64, passed byte, m corpus.Message) error {
	info := (m.Flags &^ state.Passed).String()
	if m.Flags&state.Passed != 0 {
		info += string(passed) // Dovecot itself gives no meaning to P
	}
	base := fmt.Sprintf("%d.M%06dP%d.lab", number/1e6, number%1e6, os.Getpid())
	tmp := filepath.Join(dir, "tmp", base)
	if err := os.WriteFile(tmp, lf(m.Body), 0o600); err != nil {
		return err
	}
	if err := errors.Join(srv.own(tmp), os.Chtimes(tmp, m.Date, m.Date)); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, "cur", base+":2,"+info))
}

// lf returns the message with LF line ends.
func lf(body []byte) []byte { return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) }

// keywordLetter returns the letter that stands for the keyword in the file
// names of dir, and claims the next free one if there is none yet. The file
// dovecot-keywords holds lines such as "0 $Forwarded", where 0 means 'a'.
func (srv *Server) keywordLetter(dir, keyword string) (byte, error) {
	path := filepath.Join(dir, "dovecot-keywords")
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	next := byte(0)
	for line := range strings.Lines(string(content)) {
		var number byte
		var name string
		if _, err := fmt.Sscan(line, &number, &name); err != nil {
			return 0, fmt.Errorf("%s: line %q: %w", path, line, err)
		}
		if name == keyword {
			return 'a' + number, nil
		}
		next = max(next, number+1)
	}
	content = fmt.Appendf(content, "%d %s\n", next, keyword)
	return 'a' + next, errors.Join(os.WriteFile(path, content, 0o600), srv.own(path))
}

// WipeStore makes cur and new of the mailbox vanish behind the server's back,
// as a failed disk or mount would. RestoreStore brings them back.
func (srv *Server) WipeStore(user, mailbox string) {
	srv.t.Helper()
	dir := srv.MailboxDir(user, mailbox)
	for _, sub := range []string{"cur", "new"} {
		path := filepath.Join(dir, sub)
		err := errors.Join(os.Rename(path, srv.wiped(path)), os.Mkdir(path, 0o700), srv.own(path))
		if err != nil {
			srv.t.Fatalf("wipe %q of %s: %v", mailbox, user, err)
		}
	}
}

// RestoreStore undoes WipeStore. What arrived in between is lost.
func (srv *Server) RestoreStore(user, mailbox string) {
	srv.t.Helper()
	dir := srv.MailboxDir(user, mailbox)
	for _, sub := range []string{"cur", "new"} {
		path := filepath.Join(dir, sub)
		err := errors.Join(os.RemoveAll(path), os.Rename(srv.wiped(path), path))
		if err != nil {
			srv.t.Fatalf("restore %q of %s: %v", mailbox, user, err)
		}
	}
}

// wiped returns where a directory rests while it is wiped: outside of the
// user's Maildir, where Dovecot would list it.
func (srv *Server) wiped(path string) string {
	return filepath.Join(srv.dir, "wiped"+strings.ReplaceAll(path, "/", "|"))
}

// SetACL gives the user only these rights on the own mailbox, such as "lr" for
// a read-only one. RFC 4314, section 2.1. It needs the option [ACL].
func (srv *Server) SetACL(user, mailbox, rights string) {
	srv.t.Helper()
	path := filepath.Join(srv.MailboxDir(user, mailbox), "dovecot-acl")
	err := errors.Join(os.WriteFile(path, []byte("owner "+rights+"\n"), 0o600), srv.own(path))
	if err != nil {
		srv.t.Fatalf("set the rights on %q of %s: %v", mailbox, user, err)
	}
}

// Publish makes a mailbox of one level in the public namespace, with these rights for
// all users. It needs the option [Public].
func (srv *Server) Publish(name, rights string) {
	srv.t.Helper()
	dir := filepath.Join(srv.publicDir(), "."+name)
	path := filepath.Join(dir, "dovecot-acl")
	err := os.MkdirAll(dir, 0o700)
	for _, sub := range []string{"cur", "new", "tmp"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(dir, sub), 0o700), srv.own(filepath.Join(dir, sub)))
	}
	err = errors.Join(err, os.WriteFile(path, []byte("authenticated "+rights+"\n"), 0o600),
		srv.own(path), srv.own(dir), srv.own(srv.publicDir()))
	if err != nil {
		srv.t.Fatalf("publish mailbox %q: %v", name, err)
	}
}

func (srv *Server) publicDir() string { return filepath.Join(srv.dir, "public") }

// MailHome returns the directory in which the server keeps all mail of the user.
func (srv *Server) MailHome(user string) string { return filepath.Join(srv.home(user), "Maildir") }
