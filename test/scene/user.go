package scene

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// What users do, on the server and in the tree. Messages are named by their
// tokens; of twins the first one found is meant.

// deliver adds messages to a mailbox on the server, as another client would.
func (s *Stage) deliver(mailbox string, tokens ...string) {
	s.Helper()
	for _, token := range tokens {
		s.Server.Append(s.User, mailbox, nil, time.Unix(dateOf(token), 0), Body(token))
	}
}

// uid returns the UIDs of messages on the server.
func (s *Stage) uids(mailbox string, tokens ...string) state.UIDSet {
	s.Helper()
	messages := s.Server.Messages(s.User, mailbox)
	var uids []state.UID
	for _, token := range tokens {
		i := slices.IndexFunc(messages, func(m lab.Message) bool { return tokenOf(m.Body) == token })
		if i < 0 {
			s.Fatalf("mailbox %s holds no %s", mailbox, token)
		}
		uids = append(uids, messages[i].UID)
	}
	return state.NewUIDSet(uids...)
}

// flag sets exactly these flags on the server.
func (s *Stage) flag(mailbox, token, letters string) {
	s.Helper()
	want := state.ParseFlags(letters)
	s.Server.StoreFlags(s.User, mailbox, s.uids(mailbox, token), lab.IMAPFlags(want), lab.IMAPFlags(state.AllFlags&^want))
}

// tag sets flags and adds and removes keywords on the server.
func (s *Stage) tag(mailbox, token, letters string, add, remove state.Keywords) {
	s.Helper()
	s.flag(mailbox, token, letters)
	s.Server.StoreFlags(s.User, mailbox, s.uids(mailbox, token), add.Names(), remove.Names())
}

// tagged returns info letters with those that keywords have in the folder.
func (s *Stage) tagged(folder, letters string, keywords ...string) string {
	s.Helper()
	table, err := home.KeywordTable(filepath.Join(s.Root, folder))
	s.must(err)
	for _, k := range keywords {
		found := false
		for letter, name := range table {
			if name == k {
				letters, found = letters+string(letter), true
			}
		}
		if !found {
			s.Fatalf("keyword %s has no letter in folder %s: %v", k, folder, table)
		}
	}
	return letters
}

// expunge removes messages from the server for good.
func (s *Stage) expunge(mailbox string, tokens ...string) {
	s.Helper()
	s.Server.Expunge(s.User, mailbox, s.uids(mailbox, tokens...))
}

// folder makes a folder as a mail reader would, without a marker.
func (s *Stage) folder(path string) {
	s.Helper()
	for _, sub := range []string{"tmp", "new", "cur"} {
		s.must(os.MkdirAll(filepath.Join(s.Root, path, sub), 0o700))
	}
}

// put adds a file to a folder, as a mail reader would: to new/ when letters is
// "new", to cur/ with these letters otherwise.
func (s *Stage) put(folder, letters, token string) {
	s.Helper()
	name := "new/" + s.name(token)
	if letters != "new" {
		name = "cur/" + s.name(token) + ":2," + letters
	}
	s.write(folder, name, token)
}

// name returns a file name that no other file has.
func (s *Stage) name(token string) string {
	return fmt.Sprintf("%d.%s.reader", time.Now().UnixNano(), token)
}

// write makes a file with the message of a token, or replaces one.
func (s *Stage) write(folder, name, token string) {
	s.Helper()
	tmp := filepath.Join(s.Root, folder, "tmp", "being-written")
	s.must(os.WriteFile(tmp, lf(Body(token)), 0o600))
	s.must(os.Chtimes(tmp, time.Time{}, time.Unix(dateOf(token), 0)))
	s.must(os.Rename(tmp, filepath.Join(s.Root, folder, name)))
}

// file returns the path of a message in a folder.
func (s *Stage) file(folder, token string) string {
	s.Helper()
	found := ""
	s.walk(filepath.Join(s.Root, folder), func(path string, entry fs.DirEntry) {
		if !entry.Type().IsRegular() || filepath.Dir(filepath.Dir(path)) != filepath.Join(s.Root, folder) {
			return
		}
		data, err := os.ReadFile(path)
		s.must(err)
		if tokenOf(data) == token && found == "" {
			found = path
		}
	})
	if found == "" {
		s.Fatalf("folder %s holds no %s", folder, token)
	}
	return found
}

// letters gives a message these info letters, in cur/.
func (s *Stage) letters(folder, token, letters string) {
	s.Helper()
	path := s.file(folder, token)
	base, _, _ := strings.Cut(filepath.Base(path), ":2,")
	s.must(os.Rename(path, filepath.Join(s.Root, folder, "cur", base+":2,"+letters)))
}

// drop deletes the files of messages.
func (s *Stage) drop(folder string, tokens ...string) {
	s.Helper()
	for _, token := range tokens {
		s.must(os.Remove(s.file(folder, token)))
	}
}

// carry moves a message to another folder under the same name.
func (s *Stage) carry(folder, token, dest string) {
	s.Helper()
	path := s.file(folder, token)
	s.must(os.Rename(path, filepath.Join(s.Root, dest, "cur", filepath.Base(path))))
}

// edit replaces the file of a message by one with another text, as an editor does.
func (s *Stage) edit(folder, token, instead string) {
	s.Helper()
	rel, err := filepath.Rel(filepath.Join(s.Root, folder), s.file(folder, token))
	s.must(err)
	s.write(folder, rel, instead)
}

// empty removes all messages of a folder, as a failed disk would.
func (s *Stage) empty(folder string) {
	s.Helper()
	for _, sub := range []string{"cur", "new"} {
		path := filepath.Join(s.Root, folder, sub)
		s.must(errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)))
	}
}

// forget throws the database of the program away, as its hints tell users to do.
func (s *Stage) forget() {
	s.Helper()
	s.must(home.Forget(s.States))
}

// stored returns the files in which the server keeps the messages of a mailbox.
func (s *Stage) stored(mailbox string) []string {
	s.Helper()
	found, err := filepath.Glob(filepath.Join(s.Server.MailboxDir(s.User, mailbox), "[cn][ue][rw]", "*"))
	s.must(err)
	return found
}

// newOf returns the file of the one message that is not among those known.
func (s *Stage) newOf(mailbox string, known []string) string {
	s.Helper()
	found := slices.DeleteFunc(s.stored(mailbox), func(path string) bool { return slices.Contains(known, path) })
	if len(found) != 1 {
		s.Fatalf("%d messages of %s are new, want one: %q", len(found), mailbox, found)
	}
	return found[0]
}
