package real

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// start is the date of the messages that the scenarios make.
const start = 1_600_000_000

// mail is one message as a side shows it, the same form for both sides.
type mail struct {
	Token    string
	Flags    string
	Keywords state.Keywords
	Date     int64
	Digest   state.Digest
}

// side is all mail of one side by mailbox.
type side map[string][]mail

// body makes a message that is told from others by its token.
func body(token string) []byte {
	return fmt.Appendf(nil, "From: a@example.org\r\nMessage-ID: <%s@test>\r\nSubject: %[1]s\r\n\r\nText of %[1]s.\r\n", token)
}

// lf returns the message as a file has it.
func lf(data []byte) []byte { return []byte(strings.ReplaceAll(string(data), "\r\n", "\n")) }

// tokenOf returns what tells a message from others.
func tokenOf(data []byte) string {
	if token := corpus.TokenOf(data); token != "" {
		return token
	}
	_, rest, _ := strings.Cut(string(data), "Subject: ")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

func digest(data []byte) state.Digest {
	d := state.NewDigester()
	_, _ = d.Write(data) // it never fails
	return d.Sum().Digest
}

func (s side) sort() side {
	for _, list := range s {
		slices.SortFunc(list, func(a, b mail) int {
			return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Flags, b.Flags),
				cmp.Compare(a.Keywords, b.Keywords), cmp.Compare(a.Date, b.Date), slices.Compare(a.Digest[:], b.Digest[:]))
		})
	}
	return s
}

// names returns the mail as "mailbox/token:flags", sorted.
func (s side) names() []string {
	var names []string
	for mailbox, list := range s {
		for _, m := range list {
			names = append(names, fmt.Sprintf("%s/%s:%s", mailbox, m.Token, m.Flags))
		}
	}
	slices.Sort(names)
	return names
}

// shown leaves out the keywords of messages that have no flags: their files may lie in
// new/, where names have no letters.
func (s side) shown() side {
	for _, list := range s {
		for i := range list {
			if list[i].Flags == "" {
				list[i].Keywords = ""
			}
		}
	}
	return s
}

// counts returns how often each token occurs.
func (s side) counts() map[string]int {
	n := make(map[string]int)
	for _, list := range s {
		for _, m := range list {
			n[m.Token]++
		}
	}
	return n
}

// remote reads all mail of the server.
func (a *account) remote() side {
	a.Helper()
	s := side{}
	for _, mailbox := range a.srv.Mailboxes(a.user) {
		if slices.Contains(mailbox.Attrs, `\Noselect`) || slices.Contains(mailbox.Attrs, `\NonExistent`) {
			continue
		}
		s[mailbox.Name] = []mail{}
		for _, m := range a.srv.Messages(a.user, mailbox.Name) {
			if a.noExpunge && m.Flags&state.Trashed != 0 {
				continue
			}
			s[mailbox.Name] = append(s[mailbox.Name], mail{
				tokenOf(m.Body), m.Flags.String(), state.NewKeywords(m.Keywords...), m.InternalDate.Unix(), digest(m.Body),
			})
		}
	}
	return s.sort()
}

// local reads all mail of the tree. Folders stand under their path.
func (a *account) local() side {
	a.Helper()
	s := side{}
	a.walk(a.root, func(path string, entry fs.DirEntry) {
		sub := filepath.Base(filepath.Dir(path))
		if entry.IsDir() {
			if entry.Name() == "cur" {
				folder := a.folderOf(filepath.Dir(path))
				s[folder] = append([]mail{}, s[folder]...)
			}
			return
		}
		if sub != "cur" && sub != "new" {
			return
		}
		folder := a.folderOf(filepath.Dir(filepath.Dir(path)))
		_, letters, _ := strings.Cut(entry.Name(), a.mark())
		data, err := os.ReadFile(path)
		a.must(err)
		info, err := entry.Info()
		a.must(err)
		keywords, err := home.Keywords(filepath.Dir(filepath.Dir(path)), letters)
		a.must(err)
		s[folder] = append(s[folder], mail{
			tokenOf(data), state.ParseFlags(letters).String(), keywords, info.ModTime().Unix(), digest(data),
		})
	})
	return s.sort()
}

// folderOf returns the folder of a directory as the scenarios call it: as it is
// with the layout fs.
func (a *account) folderOf(path string) string {
	a.Helper()
	rel, err := filepath.Rel(a.root, path)
	a.must(err)
	if a.layout != maildir.LayoutPlus {
		return filepath.ToSlash(rel)
	}
	if rel == "." {
		return "INBOX"
	}
	plain, ok := strings.CutPrefix(strings.ReplaceAll(rel, ".", "/"), "/")
	if !ok || strings.Contains(rel, "/") {
		a.Errorf("directory %q has no place in a Maildir++ tree", rel)
	}
	return plain
}

// mark is what stands before the letters in the names of message files.
func (a *account) mark() string { return string(cmp.Or(a.separator, maildir.SeparatorColon)) + "2," }

// dir returns the path of something in a folder, which has its name as with the
// layout fs, and files theirs as with a colon.
func (a *account) dir(folder string, elem ...string) string {
	for i := range elem {
		elem[i] = strings.ReplaceAll(elem[i], ":2,", a.mark())
	}
	if a.layout == maildir.LayoutPlus {
		folder = "." + strings.ReplaceAll(folder, "/", ".")
		if folder == ".INBOX" {
			folder = ""
		}
	}
	return filepath.Join(append([]string{a.root, folder}, elem...)...)
}

// walk shows everything below a directory, hidden files left out.
func (a *account) walk(root string, show func(path string, entry fs.DirEntry)) {
	a.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !strings.HasPrefix(entry.Name(), ".") {
			show(path, entry)
		}
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) {
		a.must(err)
	}
}

// same checks that both sides show the same mail in the same places, with equal
// content, flags and dates, and returns it.
func (a *account) same() side {
	a.Helper()
	remote, local := a.remote().shown(), a.local().shown()
	if diff := gocmp.Diff(remote, local); diff != "" {
		a.Errorf("the sides differ (-server +tree):\n%s", diff)
	}
	return remote
}

// expect checks that both sides hold exactly this mail, and that another run
// finds nothing to do and changes nothing.
func (a *account) expect(want ...string) {
	a.Helper()
	slices.Sort(want)
	if diff := gocmp.Diff(want, a.same().names()); diff != "" {
		a.Errorf("the mail is not as expected (-want +got):\n%s", diff)
	}
	a.idle()
}

// stamp is what a change of a file or directory cannot leave as it was.
type stamp struct {
	Inode        uint64
	Size         int64
	Mtime, Ctime syscall.Timespec
}

// snapshot returns the stamps of everything in the tree, markers included.
func (a *account) snapshot() map[string]stamp {
	a.Helper()
	stamps := make(map[string]stamp)
	a.must(filepath.WalkDir(a.root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			stamps[path] = stampOf(a.statOf(path))
		}
		return err
	}))
	return stamps
}

func (a *account) statOf(path string) syscall.Stat_t {
	a.Helper()
	var st syscall.Stat_t
	a.must(syscall.Lstat(path, &st))
	return st
}

// unchanged checks that nothing in the tree has been touched.
func (a *account) unchanged(before map[string]stamp) {
	a.Helper()
	if diff := gocmp.Diff(before, a.snapshot()); diff != "" {
		a.Errorf("the tree was changed (-before +after):\n%s", diff)
	}
}

// deliver adds messages to a mailbox on the server, as another client would.
func (a *account) deliver(mailbox string, tokens ...string) {
	a.Helper()
	for i, token := range tokens {
		a.srv.Append(a.user, mailbox, nil, time.Unix(start+int64(i), 0), body(token))
	}
}

// uid returns the message of a token.
func (a *account) uid(mailbox, token string) state.UIDSet {
	a.Helper()
	for _, m := range a.srv.Messages(a.user, mailbox) {
		if tokenOf(m.Body) == token && (!a.noExpunge || m.Flags&state.Trashed == 0) {
			return state.NewUIDSet(m.UID)
		}
	}
	a.Fatalf("mailbox %s holds no %s", mailbox, token)
	return nil
}

// flag sets exactly these flags on the server.
func (a *account) flag(mailbox, token, letters string) {
	a.Helper()
	want := state.ParseFlags(letters)
	a.srv.StoreFlags(a.user, mailbox, a.uid(mailbox, token), lab.IMAPFlags(want), lab.IMAPFlags(state.AllFlags&^want))
}

// mkfolder makes a folder as a mail reader would, without a marker.
func (a *account) mkfolder(path string) {
	a.Helper()
	for _, sub := range []string{"tmp", "new", "cur"} {
		a.must(os.MkdirAll(a.dir(path, sub), 0o700))
	}
}

// put adds a file to a folder, as a mail reader would.
func (a *account) put(folder, letters, token string) {
	a.Helper()
	a.putFile(folder, fmt.Sprintf("cur/%s.%d:2,%s", token, time.Now().UnixNano(), letters), lf(body(token)), start+500)
}

func (a *account) putFile(folder, name string, data []byte, date int64) {
	a.Helper()
	tmp := a.dir(folder, "tmp", "being-written")
	a.must(os.WriteFile(tmp, data, 0o600))
	a.must(os.Chtimes(tmp, time.Unix(date, 0), time.Unix(date, 0)))
	a.rename(tmp, a.dir(folder, name))
}

func (a *account) rename(from, to string) {
	a.Helper()
	a.must(os.Rename(from, to))
}

// files returns the paths of a folder's messages, sorted.
func (a *account) files(folder string) []string {
	a.Helper()
	var paths []string
	for _, sub := range []string{"new", "cur"} {
		a.walk(a.dir(folder, sub), func(path string, entry fs.DirEntry) {
			if entry.Type().IsRegular() {
				paths = append(paths, path)
			}
		})
	}
	return paths
}

// file returns the path of a token's message.
func (a *account) file(folder, token string) string {
	a.Helper()
	for _, path := range a.files(folder) {
		data, err := os.ReadFile(path)
		a.must(err)
		if tokenOf(data) == token {
			return path
		}
	}
	a.Fatalf("folder %s holds no %s", folder, token)
	return ""
}

// letters renames a token's file to these info letters, in cur.
func (a *account) letters(folder, token, letters string) {
	a.Helper()
	path := a.file(folder, token)
	base, _, _ := strings.Cut(filepath.Base(path), a.mark())
	a.rename(path, a.dir(folder, "cur", base+":2,"+letters))
}

// drop deletes a token's file.
func (a *account) drop(folder, token string) {
	a.Helper()
	a.must(os.Remove(a.file(folder, token)))
}

// carry moves a token's file to another folder under the same name.
func (a *account) carry(folder, token, dest string) {
	a.Helper()
	path := a.file(folder, token)
	a.rename(path, a.dir(dest, "cur", filepath.Base(path)))
}

// edit replaces a token's file by one with this content, as an editor would.
func (a *account) edit(folder, token string, data []byte) {
	a.Helper()
	rel, err := filepath.Rel(a.dir(folder), a.file(folder, token))
	a.must(err)
	a.putFile(folder, rel, data, start)
}

// overwrite writes another message into a token's file itself, with the date
// kept, so that neither name nor directory shows it.
func (a *account) overwrite(folder, token, instead string) {
	a.Helper()
	path := a.file(folder, token)
	a.must(os.WriteFile(path, lf(body(instead)), 0o600))
	a.must(os.Chtimes(path, time.Unix(start, 0), time.Unix(start, 0)))
}
