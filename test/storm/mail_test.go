package storm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"mailmoor/test/scene"
)

// mail is what arrives and leaves. It fills one mailbox after the other: whatever
// can be done with a mailbox begins with a look at all that is new in it.
type mail struct {
	// mailboxes is how many mailboxes mail arrives in.
	mailboxes int
	// arriving and leaving count the messages, arrived and left those of them
	// that are on their side already.
	arriving, leaving int
	arrived, left     int
	// want names the messages as package scene does.
	want []string
	// places are the mailboxes that have any mail so far.
	places map[string]bool
	// server is the directory of INBOX on the server, root the tree.
	server, root string
}

// arrivesIn returns the mailbox in which a message arrives.
func (m *mail) arrivesIn(number int) string { return incoming(number * m.mailboxes / m.arriving) }

// incoming returns the name of a mailbox in which mail arrives.
func incoming(number int) string {
	if number == 0 {
		return "INBOX"
	}
	return fmt.Sprintf("In%02d", number)
}

// leavesFrom returns the folder that a message leaves. Every other one leaves a
// mailbox in which mail arrives at the same time, so that what is new on one side
// must be told from what is new on the other. The server has never heard of the
// other folders.
func (m *mail) leavesFrom(number int) string {
	at := number * m.mailboxes / m.leaving
	if number%2 == 0 {
		return incoming(at)
	}
	return fmt.Sprintf("Out%02d", at)
}

// remoteDir returns where the server keeps the mailbox.
func (m *mail) remoteDir(mailbox string) string {
	if mailbox == "INBOX" {
		return m.server
	}
	return filepath.Join(m.server, "."+mailbox)
}

// localDir returns the folder of the mailbox.
func (m *mail) localDir(mailbox string) string { return filepath.Join(m.root, mailbox) }

// arrive delivers up to so many messages in all, as a mail server does: into
// new/, without flags.
func (m *mail) arrive(upTo int) error {
	for ; m.arrived < upTo; m.arrived++ {
		to, token := m.arrivesIn(m.arrived), fmt.Sprintf("twin%06d", m.arrived)
		if err := deliver(m.remoteDir(to), "new", "", token); err != nil {
			return err
		}
		m.expect(to, token, "")
	}
	return nil
}

// leave writes up to so many messages in all into the tree, as a mail reader
// does that copies them there.
func (m *mail) leave(upTo int) error {
	for ; m.left < upTo; m.left++ {
		from, token := m.leavesFrom(m.left), fmt.Sprintf("twin%06d", m.arriving+m.left)
		for _, sub := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(filepath.Join(m.localDir(from), sub), 0o700); err != nil {
				return err
			}
		}
		letters := []string{"", "S", "RS", "F"}[m.left%4]
		if err := deliver(m.localDir(from), "cur", ":2,"+letters, token); err != nil {
			return err
		}
		m.expect(from, token, letters)
	}
	return nil
}

func (m *mail) expect(mailbox, token, letters string) {
	m.places[mailbox] = true
	m.want = append(m.want, mailbox+"/"+token+":"+letters)
}

// deliver writes a message into a Maildir, for its owner. Messages whose tokens
// begin with "twin" have scene.Date, whatever follows.
func deliver(dir, sub, info, token string) error {
	tmp := filepath.Join(dir, "tmp", token)
	info = fmt.Sprintf("%d.%s.storm%s", scene.Date, token, info)
	body := bytes.ReplaceAll(scene.Body(token), []byte("\r\n"), []byte("\n"))
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	date := time.Unix(scene.Date, 0)
	if err := errors.Join(os.WriteFile(tmp, body, 0o600), os.Chtimes(tmp, date, date)); err != nil {
		return err
	}
	if owner, ok := st.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := os.Chown(tmp, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return os.Rename(tmp, filepath.Join(dir, sub, info))
}
