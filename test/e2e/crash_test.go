package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

// crashesMax bounds the number of runs that are killed. A run has far fewer
// effects.
const crashesMax = 300

// TestKillAtEveryEffect kills the program with SIGKILL at its first durable
// effect, starts it again and kills it at the second one, and so on until a run
// comes to its end. Then both sides must be equal, with each message once. The
// mail is on the server at first (a first run); after that both sides change.
func TestKillAtEveryEffect(t *testing.T) {
	p := newProgram(t)
	p.server.Load(p.user, "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 12})))
	p.server.Load(p.user, "Lists", slices.Collect(corpus.Generate(corpus.Options{Count: 3})))
	p.untilDone(t)
	p.expect(t, map[string]int{"INBOX": 12, "Lists": 3, "Trash": 0, "Filed": -1})

	files := p.files(t, "INBOX")
	others := p.without(t, "INBOX", files[4:7])
	p.server.Append(p.user, "INBOX", []string{`\Seen`}, time.Now(), []byte("Subject: new\r\n\r\nNew.\r\n"))
	p.server.Expunge(p.user, "INBOX", state.NewUIDSet(others[0]))
	p.server.StoreFlags(p.user, "INBOX", state.NewUIDSet(others[1]), []string{`\Flagged`}, nil)
	p.server.Move(p.user, "Lists", state.NewUIDSet(1), "INBOX")
	base, _, _ := strings.Cut(filepath.Base(files[5]), ":2,")
	for _, err := range []error{
		os.Remove(files[4]),
		os.Rename(files[5], filepath.Join(p.mail, "INBOX", "cur", base+":2,RS")),
		os.Rename(files[6], filepath.Join(p.mail, "Lists", "cur", filepath.Base(files[6]))),
		os.MkdirAll(filepath.Join(p.mail, "Filed", "tmp"), 0o700),
		os.MkdirAll(filepath.Join(p.mail, "Filed", "new"), 0o700),
		os.MkdirAll(filepath.Join(p.mail, "Filed", "cur"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		name := fmt.Sprintf("170000000%d.made.here:2,S", i)
		text := fmt.Sprintf("Subject: filed %d\nMessage-ID: <filed%d@example.org>\n\nText %d.\n", i, i, i)
		if err := os.WriteFile(filepath.Join(p.mail, "Filed", "cur", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.untilDone(t)
	// INBOX: 12, one new, one expunged, one deleted here, one moved out, one in.
	p.expect(t, map[string]int{"INBOX": 11, "Lists": 3, "Trash": 1, "Filed": 4})
}

// without returns the UIDs of the messages that are in none of the files, so that
// both sides can change without meeting: the order of the files is that of chance.
func (p *program) without(t *testing.T, mailbox string, files []string) []state.UID {
	t.Helper()
	var contents []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, line(mailbox, 0, string(data)))
	}
	var uids []state.UID
	for _, m := range p.server.Messages(p.user, mailbox) {
		if !slices.Contains(contents, line(mailbox, 0, string(m.Body))) {
			uids = append(uids, m.UID)
		}
	}
	return uids
}

// program is the built program with an account.
type program struct {
	server     *lab.Server
	user, mail string
	command    string
	env        []string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{server: lab.Dovecot(t, lab.SpecialUse("Trash"), lab.Password(password)), user: "u1"}
	p.server.User(p.user)
	home := t.TempDir()
	p.mail = filepath.Join(home, "Mail")
	p.command = filepath.Join(build(t), "mailmoor")
	p.env = []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home,
	}
	values := map[string]string{
		"HOST": p.server.Host, "PORT": strconv.Itoa(p.server.Port), "CAFILE": p.server.CAFile,
		"USER": p.user, "PASSWORD": password,
	}
	text := os.Expand(smallest, func(key string) string { return values[key] })
	if err := os.Mkdir(filepath.Join(home, "mailmoor"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "mailmoor", "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// untilDone runs sync again and again, each time killed one effect later.
func (p *program) untilDone(t *testing.T) {
	t.Helper()
	killed := 0
	for n := 1; n <= crashesMax; n++ {
		cmd := exec.Command(p.command, "sync")
		cmd.Env = append(slices.Clone(p.env), fmt.Sprintf("MAILMOOR_CRASH_AT=%d", n))
		out, err := cmd.CombinedOutput()
		switch code := codeOf(err); code {
		case 0:
			if killed == 0 {
				t.Fatal("no run was killed: the test proves nothing")
			}
			t.Logf("%d runs were killed", killed)
			return
		case 128 + int(syscall.SIGKILL):
			killed++
		default:
			t.Fatalf("run %d ended with exit code %d:\n%s", n, code, out)
		}
	}
	t.Fatalf("no run came to its end in %d", crashesMax)
}

// files returns the message files of a folder.
func (p *program) files(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	for _, sub := range []string{"new", "cur"} {
		found, err := filepath.Glob(filepath.Join(p.mail, folder, sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// expect demands that many messages in each mailbox (-1: it does not exist), the
// same ones in its folder, and none of them twice where the sender made none.
func (p *program) expect(t *testing.T, counts map[string]int) {
	t.Helper()
	existing := make(map[string]bool)
	for _, m := range p.server.Mailboxes(p.user) {
		existing[m.Name] = true
	}
	for mailbox, count := range counts {
		if existing[mailbox] != (count >= 0) {
			t.Errorf("mailbox %s exists: %t", mailbox, existing[mailbox])
			continue
		}
		if count < 0 {
			continue
		}
		var remote, local []string
		for _, m := range p.server.Messages(p.user, mailbox) {
			remote = append(remote, line(mailbox, m.Flags, string(m.Body)))
		}
		for _, file := range p.files(t, mailbox) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, info, _ := strings.Cut(filepath.Base(file), ":2,")
			local = append(local, line(mailbox, state.ParseFlags(info), string(data)))
		}
		slices.Sort(remote)
		slices.Sort(local)
		if len(remote) != count || !slices.Equal(remote, local) {
			t.Errorf("%s: want %d messages, remote\n%s\nlocal\n%s", mailbox, count,
				strings.Join(remote, "\n"), strings.Join(local, "\n"))
		}
		p.noLeftovers(t, mailbox)
	}
}

// noLeftovers demands that no crash left a file in tmp/.
func (p *program) noLeftovers(t *testing.T, mailbox string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(p.mail, mailbox, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("tmp of %s holds %v, %v", mailbox, left, err)
	}
}
