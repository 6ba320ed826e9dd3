package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

var (
	messages  = flag.Int("messages", 20_000, "messages on the server")
	mailboxes = flag.Int("mailboxes", 100, "mailboxes on the server")
)

// host is the server's name in its certificate: mbsync takes no address there.
const host = "localhost"

// cost is what one process used.
type cost struct {
	Wall, CPU time.Duration
	Peak      int64 // bytes
}

// peers are the two programs, each with a tree of its own.
type peers struct {
	b        *testing.B
	dir      string
	mailmoor string // the binary
}

// newPeers builds Mailmoor and fills a server with mail.
func newPeers(b *testing.B) *peers {
	b.Helper()
	lab.Require(b, "mbsync")
	p := &peers{b: b, dir: b.TempDir()}
	p.mailmoor = filepath.Join(p.dir, "mailmoor")
	build := exec.Command("go", "build", "-o", p.mailmoor, "mailmoor/cmd/mailmoor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

// fill puts the corpus into the account of a user.
func fill(srv *lab.Server, user string) {
	mail := slices.Collect(corpus.Generate(corpus.Options{Count: *messages, Seed: 1}))
	for i := range mail {
		mail[i].Flags &^= state.Trashed // mbsync leaves deleted messages out
	}
	for _, box := range corpus.Tree(1, *mailboxes, *messages) {
		srv.Load(user, box.Name, mail[:box.Messages])
		mail = mail[box.Messages:]
	}
}

// configure writes the two configurations for a fresh pair of trees.
func (p *peers) configure(srv *lab.Server, user, round string) (mailmoorConf, mbsyncConf string) {
	p.b.Helper()
	return p.configureAt(srv, srv.Port, user, round)
}

// configureAt is configure for a proxy on the port before the server.
func (p *peers) configureAt(srv *lab.Server, port int, user, round string) (mailmoorConf, mbsyncConf string) {
	p.b.Helper()
	dir := filepath.Join(p.dir, round)
	for _, sub := range []string{"mbsync-state", "mbsync"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			p.b.Fatal(err)
		}
	}
	ours := fmt.Sprintf(`state_dir = %q
[account.bench]
host = %q
port = %d
user = %q
password = "secret"
maildir = %q
tls_ca = %q
`, filepath.Join(dir, "state"), host, port, user, filepath.Join(dir, "mailmoor"), srv.CAFile)
	theirs := fmt.Sprintf(`FSync yes
IMAPAccount bench
Host %s
Port %d
User %s
Pass secret
SSLType IMAPS
CertificateFile %s

IMAPStore remote
Account bench

MaildirStore local
Path %s/
Inbox %s
SubFolders Verbatim

Channel bench
Far :remote:
Near :local:
Patterns *
Create Near
Expunge None
CopyArrivalDate yes
SyncState %s/
`, host, port, user, srv.CAFile, filepath.Join(dir, "mbsync"), filepath.Join(dir, "mbsync", "INBOX"), filepath.Join(dir, "mbsync-state"))
	mailmoorConf, mbsyncConf = filepath.Join(dir, "mailmoor.toml"), filepath.Join(dir, "mbsyncrc")
	for path, text := range map[string]string{mailmoorConf: ours, mbsyncConf: theirs} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			p.b.Fatal(err)
		}
	}
	return mailmoorConf, mbsyncConf
}

// runOurs and runTheirs each sync once.
func (p *peers) runOurs(conf string) cost {
	return p.run(p.mailmoor, "sync", "--config", conf, "--quiet")
}

func (p *peers) runTheirs(conf string) cost {
	return p.run("mbsync", "-q", "-c", conf, "bench")
}

// measure is set for a process that only runs another one and prints what that
// used. The kernel counts the memory of the process that a program was started
// from towards the program's peak: the benchmark itself, with the whole corpus
// in memory, would spoil the figure.
const measure = "MAILMOOR_BENCH_MEASURE"

func TestMain(m *testing.M) {
	if os.Getenv(measure) == "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	started := time.Now()
	err := cmd.Run()
	c := cost{Wall: time.Since(started)}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.Peak = usage.Maxrss << 10
	}
	if err := json.NewEncoder(os.Stdout).Encode(c); err != nil {
		os.Exit(1)
	}
}

// run runs a command to its end and returns what it used.
func (p *peers) run(command ...string) cost {
	p.b.Helper()
	cmd := exec.Command(os.Args[0], command...)
	cmd.Env = append(os.Environ(), measure+"=1")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var c cost
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	if err != nil {
		p.b.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said.String())
	}
	return c
}

// count returns how many message files a tree holds.
func count(b *testing.B, root string) int {
	b.Helper()
	n := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if dir := filepath.Base(filepath.Dir(path)); err == nil && d.Type().IsRegular() && (dir == "cur" || dir == "new") {
			n++
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// report prints the medians of both and their ratio.
func report(b *testing.B, ours, theirs []cost) {
	b.Helper()
	median := func(costs []cost, of func(cost) float64) float64 {
		var values []float64
		for _, c := range costs {
			values = append(values, of(c))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	wall := func(c cost) float64 { return c.Wall.Seconds() }
	cpu := func(c cost) float64 { return c.CPU.Seconds() }
	peak := func(c cost) float64 { return float64(c.Peak) / (1 << 20) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ours, wall), "mailmoor-s")
	b.ReportMetric(median(theirs, wall), "mbsync-s")
	b.ReportMetric(median(ours, wall)/median(theirs, wall), "ratio")
	b.ReportMetric(median(ours, cpu), "mailmoor-cpu-s")
	b.ReportMetric(median(theirs, cpu), "mbsync-cpu-s")
	b.ReportMetric(median(ours, peak), "mailmoor-MiB")
	b.ReportMetric(median(theirs, peak), "mbsync-MiB")
}

// BenchmarkFirstSync downloads everything into an empty tree, durably, over
// TLS on the loopback.
func BenchmarkFirstSync(b *testing.B) {
	srv := lab.Dovecot(b)
	p := newPeers(b)
	fill(srv, "bench")
	var ours, theirs []cost
	for i := range b.N {
		mailmoorConf, mbsyncConf := p.configure(srv, "bench", fmt.Sprint("first", i))
		if i == 0 {
			// Whoever came first would find the server's caches cold.
			p.runTheirs(mbsyncConf)
			mailmoorConf, mbsyncConf = p.configure(srv, "bench", "warm")
		}
		theirs = append(theirs, p.runTheirs(mbsyncConf))
		ours = append(ours, p.runOurs(mailmoorConf))
		tree, peer := filepath.Join(filepath.Dir(mailmoorConf), "mailmoor"), filepath.Join(filepath.Dir(mbsyncConf), "mbsync")
		if n := count(b, tree); n != *messages {
			b.Fatalf("%s has %d messages, want %d", tree, n, *messages)
		}
		// The trees stay until the end: creating files right after removing
		// thousands is slow on ext4, and would be measured too.
		//
		// mbsync leaves out messages whose header does not end in an empty line.
		b.Logf("mbsync fetched %d of %d messages", count(b, peer), *messages)
	}
	report(b, ours, theirs)
}

// BenchmarkNothingToDo syncs an account in which nothing changed.
func BenchmarkNothingToDo(b *testing.B) {
	srv := lab.Dovecot(b)
	p := newPeers(b)
	fill(srv, "bench")
	mailmoorConf, mbsyncConf := p.configure(srv, "bench", "idle")
	for range 2 {
		p.runOurs(mailmoorConf)
		p.runTheirs(mbsyncConf)
	}
	time.Sleep(3 * time.Second) // directory times prove nothing while they are fresh
	p.runOurs(mailmoorConf)
	var ours, theirs []cost
	for range b.N {
		theirs = append(theirs, p.runTheirs(mbsyncConf))
		ours = append(ours, p.runOurs(mailmoorConf))
	}
	report(b, ours, theirs)
}
