package quirk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// deliver adds messages to a mailbox on the server.
func (a *account) deliver(mailbox string, tokens ...string) {
	a.Helper()
	for i, token := range tokens {
		a.srv.Deliver(mailbox, time.Unix(start+int64(i), 0), body(token))
	}
}

// uid returns the UID of the message on the server.
func (a *account) uid(mailbox, token string) uint32 {
	a.Helper()
	for _, m := range a.srv.Messages(mailbox) {
		if tokenOf(string(m.Body)) == token {
			return m.UID
		}
	}
	a.Fatalf("mailbox %s has no %s", mailbox, token)
	return 0
}

// put adds a file to a folder, which it makes if need be.
func (a *account) put(folder, letters, token string) {
	a.Helper()
	a.putText(folder, letters, strings.ReplaceAll(string(body(token)), "\r\n", "\n"))
}

func (a *account) putText(folder, letters, text string) {
	a.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		a.must(os.MkdirAll(filepath.Join(a.root, folder, sub), 0o700))
	}
	a.files++
	path := filepath.Join(a.root, folder, "cur", fmt.Sprintf("%d.m%d.host:2,%s", start, a.files, letters))
	a.must(os.WriteFile(path, []byte(text), 0o600))
	date := time.Unix(start+int64(a.files), 0)
	a.must(os.Chtimes(path, date, date))
}

// file returns the path of a message's file.
func (a *account) file(folder, token string) string {
	a.Helper()
	for path, data := range a.mail(a.root) {
		if filepath.ToSlash(filepath.Dir(filepath.Dir(path))) == folder && tokenOf(data) == token {
			return filepath.Join(a.root, path)
		}
	}
	a.Fatalf("folder %s has no %s", folder, token)
	return ""
}

// drop deletes a message's file.
func (a *account) drop(folder, token string) {
	a.Helper()
	a.must(os.Remove(a.file(folder, token)))
}

// letters gives a message's file other flags.
func (a *account) letters(folder, token, letters string) {
	a.Helper()
	path := a.file(folder, token)
	name, _, _ := strings.Cut(filepath.Base(path), ":2,")
	a.must(os.Rename(path, filepath.Join(a.root, folder, "cur", name+":2,"+letters)))
}

// carry moves a message's file to another folder.
func (a *account) carry(folder, token, dest string) {
	a.Helper()
	path := a.file(folder, token)
	a.must(os.Rename(path, filepath.Join(a.root, dest, "cur", filepath.Base(path))))
}
