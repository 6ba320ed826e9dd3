package storm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mailmoor/state/store"
)

// progress is how far the mail is.
type progress struct {
	// downloaded and uploaded count the messages that the program has brought to
	// the other side.
	downloaded, uploaded int
	// intents are the transfers whose end is not known.
	intents int
}

func (p progress) String() string {
	return fmt.Sprintf("%d downloaded, %d uploaded, %d open intents", p.downloaded, p.uploaded, p.intents)
}

// beyond reports whether p is further than before: more mail is where it
// belongs, or the end of more transfers is known.
func (p progress) beyond(before progress) bool {
	return p.downloaded+p.uploaded > before.downloaded+before.uploaded || p.intents < before.intents
}

// waiting is how many messages have come and are not on both sides yet.
func (p progress) waiting(m *mail) int { return m.arrived - p.downloaded + m.left - p.uploaded }

// progress counts. Mail that came by itself does not count. A session of a run that
// was killed might still rename files of the server: it would count them twice.
func (s *storm) progress() progress {
	s.Helper()
	s.Quiesce()
	p := progress{intents: s.intents(), downloaded: -s.mail.left, uploaded: -s.mail.arrived}
	for mailbox := range s.mail.places {
		p.downloaded += s.count(s.mail.localDir(mailbox))
		p.uploaded += s.count(s.mail.remoteDir(mailbox))
	}
	return p
}

// count counts the messages of a Maildir, which may be still to be made.
func (s *storm) count(dir string) int {
	s.Helper()
	n := 0
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s.must(err)
		n += len(entries)
	}
	return n
}

// intents counts those that are open.
func (s *storm) intents() int {
	s.Helper()
	dir, err := store.OpenDirectory(s.States)
	s.must(err)
	accounts, err := dir.Accounts()
	s.must(err)
	if len(accounts) != 1 {
		s.Fatalf("%d accounts have a state", len(accounts))
	}
	open, err := dir.Open(s.Context(), accounts[0], store.Options{ReadOnly: true})
	s.must(err)
	defer open.Close()
	intents, err := open.Intents(s.Context())
	s.must(err)
	return len(intents)
}
