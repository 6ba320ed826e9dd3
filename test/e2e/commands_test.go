package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

// accountValue is the key of the script's account.
const accountValue = "account"

// account is a script's user on the server.
type account struct {
	*lab.Server
	t    testing.TB
	user string
}

func accountOf(ts *testscript.TestScript) *account { return ts.Value(accountValue).(*account) }

// command is one word of the scripts.
type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are the words that scripts have beyond those of testscript.
func commands() map[string]command {
	return map[string]command{
		"exits":    plain(exits, 2, -1),
		"signal":   plain(signal, 3, -1),
		"config":   plain(config, 1, 1),
		"emigrate": plain(emigrate, 0, 0),
		"load":     plain(load, 2, 2),
		"append":   plain(appendMessage, 2, -1),
		"expunge":  plain(expunge, 2, 2),
		"unmake":   plain(unmake, 1, 1),
		"disguise": plain(disguise, 2, 2),
		"store":    plain(storeFlags, 3, 3),
		"remote":   plain(remote, 2, 2),
		"local":    plain(local, 2, 2),
		"equal":    plain(equal, 0, 1),
		"empty":    plain(empty, 1, 1),
		"first":    plain(first, 2, 2),
		"snapshot": plain(snapshot, 2, -1),
		"stats":    plain(stats, 2, 2),
		"keys":     plain(keys, 1, 1),
		"lock":     plain(lock, 0, 1),
	}
}

// plain makes a command of a function that cannot be negated and takes between
// low and high arguments; high -1 means any number.
func plain(do func(ts *testscript.TestScript, args []string), low, high int) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < low || high >= 0 && len(args) > high {
			ts.Fatalf("it takes %d to %d arguments and no !", low, high)
		}
		do(ts, args)
	}
}

// exits CODE COMMAND... runs a command and demands its exit code.
func exits(ts *testscript.TestScript, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := codeOf(err); strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// codeOf returns the exit code, or 128 plus the signal as shells do.
func codeOf(err error) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			return -1
		}
		return 0
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// signal NAME FILE COMMAND... starts a command, waits until FILE exists, sends
// the signal and demands that the command ends as one does that a signal ended.
func signal(ts *testscript.TestScript, args []string) {
	number, known := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	if !known {
		ts.Fatalf("signal %s does not exist", args[0])
	}
	program := filepath.Join(strings.Split(ts.Getenv("PATH"), ":")[0], args[2])
	cmd := exec.Command(program, args[3:]...)
	for _, key := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMPDIR"} {
		cmd.Env = append(cmd.Env, key+"="+ts.Getenv(key))
	}
	// A program that is started where the signal is ignored, as below nohup, goes on
	// ignoring it. Where we listen, it does not.
	listening := make(chan os.Signal, 1)
	ossignal.Notify(listening, number)
	defer ossignal.Stop(listening)
	ts.Check(cmd.Start())
	for range 1000 {
		if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Check(cmd.Process.Signal(number))
	if got := codeOf(cmd.Wait()); got != 128+int(number) {
		ts.Fatalf("exit code %d after %v", got, number)
	}
}

// config FILE makes the file the configuration, with ${VARIABLES} replaced.
func config(ts *testscript.TestScript, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.Getenv("CONFIG"), []byte(text), 0o600))
}

// emigrate makes a server of its own the one of the script, with a user of the same name.
func emigrate(ts *testscript.TestScript, _ []string) {
	server, err := lab.Start(lab.SpecialUse("Trash", "Sent", "Drafts"), lab.Password(password))
	ts.Check(err)
	ts.Defer(server.Stop)
	a := accountOf(ts)
	a.Server = server.On(a.t)
	a.User(a.user)
	ts.Setenv("PORT", strconv.Itoa(server.Port))
	ts.Setenv("CAFILE", server.CAFile)
}

// load MAILBOX COUNT puts messages of all kinds into the mailbox.
func load(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	a := accountOf(ts)
	a.Load(a.user, args[0], slices.Collect(corpus.Generate(corpus.Options{Count: n})))
}

// append MAILBOX FILE FLAG... adds the message to the mailbox.
func appendMessage(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	body := strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n")
	a.Append(a.user, args[0], args[2:], time.Now(), []byte(body))
}

// expunge MAILBOX UID removes the message from the server.
func expunge(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	a.Expunge(a.user, args[0], uidsOf(ts, args[1]))
}

// unmake MAILBOX deletes the mailbox on the server, with what is in it.
func unmake(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	a.DeleteMailbox(a.user, args[0])
}

// disguise MAILBOX NAME gives the mailbox a name that Dovecot does not let others make, in
// the form in which it stands on its disk.
func disguise(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	dir := a.MailboxDir(a.user, args[0])
	ts.Check(os.Rename(dir, filepath.Join(filepath.Dir(dir), "."+args[1])))
}

// store MAILBOX UID FLAG adds the flag to the message on the server.
func storeFlags(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	a.StoreFlags(a.user, args[0], uidsOf(ts, args[1]), args[2:], nil)
}

func uidsOf(ts *testscript.TestScript, text string) state.UIDSet {
	n, err := strconv.ParseUint(text, 10, 32)
	ts.Check(err)
	return state.NewUIDSet(state.UID(n))
}

// remote MAILBOX COUNT demands that number of messages in the mailbox.
func remote(ts *testscript.TestScript, args []string) {
	a := accountOf(ts)
	if n := len(a.Messages(a.user, args[0])); strconv.Itoa(n) != args[1] {
		ts.Fatalf("there are %d messages in mailbox %s, not %s", n, args[0], args[1])
	}
}

// local FOLDER COUNT demands that number of files in the folder.
func local(ts *testscript.TestScript, args []string) {
	if n := len(filesOf(ts, ts.MkAbs(args[0]))); strconv.Itoa(n) != args[1] {
		ts.Fatalf("there are %d files in folder %s, not %s", n, args[0], args[1])
	}
}

// filesOf returns the paths of the message files of a folder, in order.
func filesOf(ts *testscript.TestScript, folder string) []string {
	var files []string
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(folder, sub))
		ts.Check(err)
		for _, e := range entries {
			files = append(files, filepath.Join(folder, sub, e.Name()))
		}
	}
	return files
}

// equal [ROOT] demands that server and tree show the same mailboxes with the
// same messages, bytes and flags.
func equal(ts *testscript.TestScript, args []string) {
	a, root := accountOf(ts), ts.Getenv("MAIL")
	if len(args) > 0 {
		root = ts.MkAbs(args[0])
	}
	var remote, local []string
	for _, m := range a.Mailboxes(a.user) {
		if slices.Contains(m.Attrs, `\Noselect`) || slices.Contains(m.Attrs, `\NonExistent`) {
			continue // it only has others below it
		}
		remote = append(remote, m.Name)
		for _, message := range a.Messages(a.user, m.Name) {
			remote = append(remote, line(m.Name, message.Flags, string(message.Body)))
		}
	}
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "cur" {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		local = append(local, folder)
		for _, file := range filesOf(ts, filepath.Dir(path)) {
			_, info, _ := strings.Cut(filepath.Base(file), ":2,")
			local = append(local, line(folder, state.ParseFlags(info), ts.ReadFile(file)))
		}
		return err
	}))
	slices.Sort(remote)
	slices.Sort(local)
	for i := range max(len(remote), len(local)) {
		if i >= len(remote) || i >= len(local) || remote[i] != local[i] {
			ts.Fatalf("remote and local differ:\nremote\n%s\nlocal\n%s", strings.Join(remote, "\n"), strings.Join(local, "\n"))
		}
	}
}

// line is one message for a comparison.
func line(mailbox string, flags state.Flags, body string) string {
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n")
	return fmt.Sprintf("%s: %x %s", mailbox, sha256.Sum256([]byte(body)), flags)
}

// empty FOLDER removes all files of the folder.
func empty(ts *testscript.TestScript, args []string) {
	for _, file := range filesOf(ts, ts.MkAbs(args[0])) {
		ts.Check(os.Remove(file))
	}
}

// first VARIABLE FOLDER sets the variable to the path of a file of the folder.
func first(ts *testscript.TestScript, args []string) {
	files := filesOf(ts, ts.MkAbs(args[1]))
	if len(files) == 0 {
		ts.Fatalf("folder %s is empty", args[1])
	}
	ts.Setenv(args[0], files[0])
}

// stats FILE DIRECTORY writes inode, mode, size, mtime and ctime of everything
// that lies below the directory and of the directory itself.
func stats(ts *testscript.TestScript, args []string) {
	var b strings.Builder
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		fmt.Fprintln(&b, path, st.Ino, st.Mode, st.Size, st.Mtim.Nano(), st.Ctim.Nano())
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// snapshot FILE DIRECTORY... writes what lies below the directories: names,
// modes, times of files, and contents.
func snapshot(ts *testscript.TestScript, args []string) {
	var b strings.Builder
	for _, dir := range args[1:] {
		err := filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprintln(&b, path, "does not exist")
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprint(&b, path, " ", info.Mode())
			if d.Type().IsRegular() {
				data, err := os.ReadFile(path)
				fmt.Fprintf(&b, " %s %x", info.ModTime(), sha256.Sum256(data))
				if err != nil {
					return err
				}
			}
			fmt.Fprintln(&b)
			return nil
		})
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// keys FILE writes the paths of all keys of the JSON document on stdout.
func keys(ts *testscript.TestScript, args []string) {
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &document))
	set := make(map[string]bool)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, below := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), below)
			}
		case []any:
			set[path+"[]"] = true
			for _, below := range v {
				walk(path+"[]", below)
			}
		default:
			set[path] = true
		}
	}
	walk("", document)
	var lines []string
	for key := range set {
		lines = append(lines, key)
	}
	slices.Sort(lines)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// lock [ACCOUNT] holds the lock of the only account, or of that one, until the script
// ends. Whoever finds it held is told that it has been so since 1970.
func lock(ts *testscript.TestScript, args []string) {
	paths, err := filepath.Glob(filepath.Join(ts.Getenv("STATE"), "*", "lock"))
	ts.Check(err)
	if len(args) > 0 {
		paths = slices.DeleteFunc(paths, func(path string) bool {
			about := ts.ReadFile(filepath.Join(filepath.Dir(path), "account.json"))
			return !strings.Contains(about, fmt.Sprintf("%q: %q", "name", args[0]))
		})
	}
	if len(paths) != 1 {
		ts.Fatalf("there are %d locks", len(paths))
	}
	f, err := os.OpenFile(paths[0], os.O_RDWR|os.O_TRUNC, 0)
	ts.Check(err)
	ts.Defer(func() { _ = f.Close() })
	ts.Check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	_, err = fmt.Fprintf(f, `{"pid":%d,"host":"here","started":1}`+"\n", os.Getpid())
	ts.Check(err)
}
