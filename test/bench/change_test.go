package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailmoor/test/lab"
)

// site is where a change is made: on the server, and in the tree of one program.
type site struct {
	t    testing.TB
	srv  *lab.Server
	user string
	p    program
}

// flagHere marks the first n messages of INBOX in the tree.
func flagHere(n int) func(site) {
	return func(s site) {
		for _, path := range s.files(inbox, n) {
			base, info, _ := strings.Cut(path, ":2,")
			s.rename(path, base+":2,F"+info) // letters are in order: only S can be there
		}
	}
}

// owned is how mbsync marks a file with the UID that it has in its mailbox. Who moves
// it has to leave that out; see "INHERENT PROBLEMS" in mbsync(1).
var owned = regexp.MustCompile(`,U=\d+`)

// moveHere moves the first n messages of INBOX to the archive in the tree.
func moveHere(n int) func(site) {
	return func(s site) {
		for _, path := range s.files(inbox, n) {
			name := owned.ReplaceAllString(filepath.Base(path), "")
			s.rename(path, filepath.Join(s.p.folder(archive), "cur", name))
		}
	}
}

// deleteHere removes the files of the first n messages of INBOX.
func deleteHere(n int) func(site) {
	return func(s site) {
		for _, path := range s.files(inbox, n) {
			if err := os.Remove(path); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// addHere puts n new messages into the archive in the tree.
func addHere(n int) func(site) {
	return func(s site) {
		for i := range n {
			m := message(i, uploadBytes)
			name := fmt.Sprintf("%d.%d.bench:2,S", m.Date.Unix(), i)
			text := strings.ReplaceAll(string(m.Body), "\r\n", "\n")
			write(s.t, filepath.Join(s.p.folder(archive), "cur", name), text)
		}
	}
}

// flagThere marks the first n messages of INBOX on the server.
func flagThere(n int) func(site) {
	return func(s site) {
		s.srv.Doveadm("flags", "add", "-u", s.user, `\Flagged`, "mailbox", inbox, "uid", fmt.Sprintf("1:%d", n))
	}
}

// moveThere moves the first n messages of INBOX to the archive on the server.
func moveThere(n int) func(site) {
	return func(s site) {
		s.srv.Doveadm("move", "-u", s.user, archive, "mailbox", inbox, "uid", fmt.Sprintf("1:%d", n))
	}
}

// then makes a change and syncs it, so that the run after that is measured.
func then(change func(site)) func(site) {
	return func(s site) {
		change(s)
		run(s.t, s.p.command...)
	}
}

// files returns the first n messages of a mailbox in the tree.
func (s site) files(mailbox string, n int) []string {
	s.t.Helper()
	dir := filepath.Join(s.p.folder(mailbox), "cur")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < n {
		s.t.Fatalf("%s has %d messages, %d are to change: %v", dir, len(entries), n, err)
	}
	paths := make([]string, 0, n)
	for _, entry := range entries[:n] {
		paths = append(paths, filepath.Join(dir, entry.Name()))
	}
	return paths
}

func (s site) rename(from, to string) {
	s.t.Helper()
	if err := os.Rename(from, to); err != nil {
		s.t.Fatal(err)
	}
}

// content is what a mailbox holds, as far as the changes change it.
type content struct{ Messages, Flagged int }

// there and here return what is in each mailbox that is not empty.
func (s site) there() map[string]content {
	return s.contents(s.srv.MailHome(s.user), func(dir string) string {
		if dir == "." {
			return inbox
		}
		return strings.TrimPrefix(dir, ".")
	})
}

func (s site) here() map[string]content {
	return s.contents(filepath.Join(s.p.home, "tree"), func(dir string) string { return dir })
}

// contents counts the messages of all Maildirs below a directory.
func (s site) contents(root string, mailbox func(dir string) string) map[string]content {
	s.t.Helper()
	found := map[string]content{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !isMessage(path) {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(filepath.Dir(path)))
		if err != nil {
			return err
		}
		c := found[mailbox(dir)]
		c.Messages++
		if _, info, _ := strings.Cut(path, ":2,"); strings.Contains(info, "F") {
			c.Flagged++
		}
		found[mailbox(dir)] = c
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}
