package scene

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// remote reads all mail of the server, in one session of another client.
func (s *Stage) remote() side {
	s.Helper()
	mail := side{}
	conn, err := net.Dial("tcp", net.JoinHostPort(s.Server.Host, strconv.Itoa(s.Server.PlainPort)))
	s.must(err)
	defer conn.Close()
	c := imapclient.New(conn, nil)
	defer c.Close()
	s.must(c.Login(s.User, s.Server.Password).Wait())
	listed, err := c.List("", "*", nil).Collect()
	s.must(err)
	for _, data := range listed {
		if !slices.Contains(data.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(data.Attrs, imap.MailboxAttrNonExistent) {
			s.must(s.readMailbox(c, data.Mailbox, mail))
		}
	}
	s.must(c.Logout().Wait())
	return mail
}

// readMailbox adds all mail of a mailbox.
func (s *Stage) readMailbox(c *imapclient.Client, mailbox string, mail side) error {
	selected, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	messages, err := c.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	if err != nil || len(messages) != int(selected.NumMessages) {
		return errors.Join(err, fmt.Errorf("%d of %d messages of %q could be read", len(messages), selected.NumMessages, mailbox))
	}
	for _, m := range messages {
		body := m.FindBodySection(section)
		flags := flagsOf(m.Flags)
		if s.noExpunge && flags&state.Trashed != 0 {
			continue
		}
		if int64(len(body)) != m.RFC822Size {
			return fmt.Errorf("%d of %d bytes of UID %d of %q could be read", len(body), m.RFC822Size, m.UID, mailbox)
		}
		at := place{Mailbox: mailbox, UID: state.UID(m.UID)}
		mail[at] = Mail{mailbox, tokenOf(body), flags, keywordsOf(m.Flags), m.InternalDate.Unix(), digest(body)}
	}
	return nil
}

// flagsOf returns those flags that Maildir has letters for.
func flagsOf(names []imap.Flag) state.Flags {
	var flags state.Flags
	for bit := state.Flags(1); bit <= state.AllFlags; bit <<= 1 {
		for _, name := range lab.IMAPFlags(bit) {
			if slices.ContainsFunc(names, func(f imap.Flag) bool { return strings.EqualFold(string(f), name) }) {
				flags |= bit
			}
		}
	}
	return flags
}

// keywordsOf returns all other keywords.
func keywordsOf(names []imap.Flag) state.Keywords {
	var keywords []string
	for _, name := range names {
		keywords = append(keywords, string(name))
	}
	return state.NewKeywords(keywords...)
}

// local reads all mail of the tree.
func (s *Stage) local() side {
	s.Helper()
	mail := side{}
	s.walk(s.Root, func(path string, entry fs.DirEntry) {
		sub := filepath.Base(filepath.Dir(path))
		if !entry.Type().IsRegular() || sub != "cur" && sub != "new" {
			return
		}
		folder, err := filepath.Rel(s.Root, filepath.Dir(filepath.Dir(path)))
		s.must(err)
		key, letters, _ := strings.Cut(entry.Name(), ":2,")
		at := place{Mailbox: filepath.ToSlash(folder), Key: state.Key(key)}
		if _, twice := mail[at]; twice {
			s.Errorf("two files of folder %s have the key %s", folder, key)
		}
		m := s.readFile(at.Mailbox, path, letters)
		m.Keywords, err = home.Keywords(filepath.Join(s.Root, folder), letters)
		s.must(err)
		mail[at] = m
	})
	return mail
}

func (s *Stage) readFile(folder, path, letters string) Mail {
	s.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	info, err := os.Stat(path)
	s.must(err)
	return Mail{folder, tokenOf(data), state.ParseFlags(letters), "", info.ModTime().Unix(), digest(data)}
}

// held returns the tokens of what lies in the hold area, sorted.
func (s *Stage) held() []string {
	s.Helper()
	tokens := []string{}
	s.walk(s.States, func(path string, entry fs.DirEntry) {
		if entry.Type().IsRegular() && strings.Contains(path, "/hold/") {
			data, err := os.ReadFile(path)
			s.must(err)
			tokens = append(tokens, tokenOf(data))
		}
	})
	slices.Sort(tokens)
	return tokens
}

// unfinished returns the files that lie in tmp/ of any folder.
func (s *Stage) unfinished() []string {
	s.Helper()
	var paths []string
	s.walk(s.Root, func(path string, entry fs.DirEntry) {
		if entry.Type().IsRegular() && filepath.Base(filepath.Dir(path)) == "tmp" {
			paths = append(paths, path)
		}
	})
	return paths
}

// walk shows everything below a directory, if there is one.
func (s *Stage) walk(root string, show func(path string, entry fs.DirEntry)) {
	s.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			show(path, entry)
		}
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		s.must(err)
	}
}

// stamp is what a change of a file or directory cannot leave as it was.
type stamp struct {
	Inode        uint64
	Size         int64
	Mtime, Ctime syscall.Timespec
}

// stamps returns the stamps of everything in the tree.
func (s *Stage) stamps() map[string]stamp {
	s.Helper()
	stamps := make(map[string]stamp)
	s.walk(s.Root, func(path string, _ fs.DirEntry) {
		var st syscall.Stat_t
		s.must(syscall.Lstat(path, &st))
		stamps[path] = stampOf(st)
	})
	return stamps
}

// untouched checks that nothing in the tree has been touched.
func (s *Stage) untouched(before map[string]stamp) {
	s.Helper()
	if diff := cmp.Diff(before, s.stamps()); diff != "" {
		s.Errorf("the tree was changed (-before +after):\n%s", diff)
	}
}
