package power

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/test/chance"
)

// A few random cuts of each scene on ext4 are the share of every run of the
// tests.
var (
	kinds   = flag.String("fs", "ext4", "file systems, separated by commas; all: ext4, xfs and btrfs")
	names   = flag.String("scene", "", "scenes, separated by commas; all: those of package scene")
	every   = flag.Bool("every", false, "cut before and after every call, too")
	cuts    = flag.Int("cuts", 2, "random cuts of each scene")
	seed    = flag.Uint64("seed", 0, "seed of the random cuts, 0 for any")
	at      = flag.String("at", "", "cut at this moment only, such as 17+; see types moment and sequence")
	layouts = flag.String("disks", "two", "two: tree and state have a disk each; one: they share one; both: each in turn")
)

// promised reports whether every test has to be run, as in test/lab.
func promised() bool {
	return os.Getenv("CI") == "true" || os.Getenv("MAILMOOR_REQUIRE_SERVERS") == "1"
}

// unable says why the tests cannot be played, and that it is a failure where they
// were promised.
func unable(t testing.TB, format string, args ...any) {
	t.Helper()
	text := "THE POWER IS NOT CUT: " + fmt.Sprintf(format, args...)
	if promised() {
		t.Fatalf("%s; CI and MAILMOOR_REQUIRE_SERVERS=1 do not allow skipping", text)
	}
	t.Skip(text)
}

// chosen returns the file systems that were asked for, and skips the test where
// this machine has none of them.
func chosen(t testing.TB, names string) []fileSystem {
	t.Helper()
	if os.Getenv(apartVariable) == "" {
		unable(t, "loop mounts are not installed here, or not for this user; it takes root, and the right to mounts of one's own")
	}
	var found []fileSystem
	for _, fs := range fileSystems() {
		if names != "all" && !slices.Contains(strings.Split(names, ","), fs.name) {
			continue
		}
		missing := fs.missing(t)
		if missing == nil {
			found = append(found, fs)
			continue
		}
		if names != "all" {
			unable(t, "%v", missing)
		}
		t.Logf("WITHOUT %s: %v", fs.name, missing)
	}
	if len(found) == 0 {
		unable(t, "no file system of %q is installed", names)
	}
	return found
}

// missing reports why a file system cannot be used here.
func (fs fileSystem) missing(t testing.TB) error {
	t.Helper()
	for _, program := range []string{fs.make[0], fs.check[0]} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed; on Debian and Ubuntu: apt install %s", program, fs.from)
		}
	}
	dir := t.TempDir()
	d, err := newDisk(fs, filepath.Join(dir, "image"), filepath.Join(dir, "mounted"))
	if err != nil {
		return fmt.Errorf("loop mounts of %s are not installed here: %w", fs.name, err)
	}
	return d.examine(d.image)
}

// TestPower cuts the power during each scene, and looks what the program makes of
// what is left.
func TestPower(t *testing.T) {
	*seed = chance.Seed(*seed)
	t.Logf("seed %d", *seed)
	disks := map[string][]string{"two": {"two"}, "one": {"one"}, "both": {"two", "one"}}[*layouts]
	if disks == nil {
		t.Fatalf("there may be one disk, two or both, not %q", *layouts)
	}
	for _, fs := range chosen(t, *kinds) {
		for _, layout := range disks {
			for _, s := range scenes(t, *names) {
				t.Run(fs.name+"/"+layout+"/"+s.Name, func(t *testing.T) {
					p := &play{account: newAccount(t, fs, s, layout == "one"), t: t, fs: fs, layout: layout}
					p.run()
				})
			}
		}
	}
}

// play is a scene with many cuts.
type play struct {
	*account
	t      *testing.T
	fs     fileSystem
	layout string
	// calls are those of the run that nobody interrupted.
	calls []call
	// orderly counts the disks that were in order before their journal was
	// replayed.
	cuts, orderly int
	failed        int
}

func (p *play) run() {
	p.t.Helper()
	began := time.Now()
	if *at != "" {
		s, err := parseSequence(*at)
		must(p.t, err)
		p.cut(s)
		return
	}
	p.calls = p.cut(sequence{{end: true}})
	if p.t.Failed() {
		return
	}
	p.t.Logf("the run makes %d calls: %s", len(p.calls), p.summary())
	var all []sequence
	if *every {
		all = each(len(p.calls))
	}
	name := fnv.New64a()
	_, _ = name.Write([]byte(p.t.Name()))
	random := rand.New(rand.NewPCG(*seed, name.Sum64()))
	for range *cuts {
		all = append(all, anyOf(random, p.calls))
	}
	for _, s := range all {
		p.cut(s)
	}
	p.t.Logf("%d cuts in %v; %d of %d disks were in order before their journal was replayed",
		p.cuts, time.Since(began).Round(time.Millisecond), p.orderly, p.cuts*len(p.disks))
}

// cut cuts the power at the moments of the sequence and checks what becomes of it
// all. It returns the calls of the first run.
func (p *play) cut(s sequence) []call {
	p.t.Helper()
	must(p.t, p.restart())
	var calls []call
	var story strings.Builder
	for i, m := range s {
		o, err := p.interrupt(m, honest)
		must(p.t, err)
		p.cuts++
		p.orderly += p.account.orderly()
		if i == 0 {
			calls = o.calls
		}
		fmt.Fprintf(&story, "run %d, cut at %v:\n", i+1, m)
		for n, c := range o.calls {
			fmt.Fprintf(&story, "  %d %s\n", n+1, p.short(c))
		}
		story.WriteString(o.output)
	}
	failures := try(p.t, p.recover)
	if len(failures) == 0 {
		return calls
	}
	again := fmt.Sprintf("to play this again: go test ./test/power -run '^TestPower$' -fs=%s -disks=%s -scene=%s -at='%v'",
		p.fs.name, p.layout, p.scene.Name, s)
	if p.failed++; p.failed <= toldMax {
		p.t.Errorf("%s%s\n%s", story.String(), strings.Join(failures, "\n"), again)
	} else {
		p.t.Errorf("%d failures, the first one: %.100s\n%s", len(failures), failures[0], again)
	}
	return calls
}

// toldMax is how many failures of a scene are told in full.
const toldMax = 3

// honest is a disk that does not lie.
func honest(call) bool { return false }

// short names a call without the directories of this test.
func (p *play) short(c call) string {
	name := strings.ReplaceAll(c.name, p.Root, "Mail")
	return strings.ReplaceAll(strings.ReplaceAll(name, p.States, "State"), p.Home, "Home")
}

// summary counts the calls by what they sync.
func (p *play) summary() string {
	counts := make(map[string]int)
	for _, c := range p.calls {
		kind, what := strings.Fields(c.name)[0], "file"
		if c.directory {
			what = "directory"
		}
		place := "state"
		if strings.Contains(c.name, p.Root) {
			place = "tree"
		}
		counts[fmt.Sprintf("%s %s of the %s", kind, what, place)]++
	}
	var parts []string
	for _, kind := range slices.SortedFunc(maps.Keys(counts), cmp.Compare[string]) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// TestLyingDisk proves that a fault would be found: a disk that does nothing when it
// is told to sync directories, or files, or the program's state, must lose or double
// mail at some moment.
func TestLyingDisk(t *testing.T) {
	lies := []struct {
		name, scene string
		lie         func(a *account, c call) bool
	}{
		{"directories", manyName, func(a *account, c call) bool {
			// The sync of a whole file system at tmp/ is that of the contents in it.
			return c.directory && strings.Contains(c.name, a.Root) && !strings.HasSuffix(c.name, "/tmp")
		}},
		{"files", manyName, func(a *account, c call) bool {
			return strings.Contains(c.name, a.Root) && (!c.directory || strings.HasPrefix(c.name, "syncfs "))
		}},
		{"state", "draft-edited", func(a *account, c call) bool { return strings.Contains(c.name, a.States) }},
	}
	for _, fs := range chosen(t, *kinds) {
		for _, l := range lies {
			t.Run(fs.name+"/"+l.name, func(t *testing.T) {
				a := newAccount(t, fs, scenes(t, l.scene)[0], false)
				a.mustLose(t, func(c call) bool { return l.lie(a, c) })
			})
		}
	}
}

// mustLose cuts until the check fails.
func (a *account) mustLose(t *testing.T, lie func(call) bool) {
	t.Helper()
	must(t, a.restart())
	whole, err := a.interrupt(moment{end: true}, honest)
	must(t, err)
	tried := 0
	for _, mail := range []push{pushNothing, pushJournal} {
		for _, s := range slices.Backward(each(len(whole.calls))) {
			m := s[0]
			m.mail = mail
			tried++
			failures := a.once(t, m, lie)
			if len(failures) == 0 {
				continue
			}
			t.Logf("found with cut %d, at %v:\n%.400s", tried, m, failures[0])
			if failures := a.once(t, m, honest); len(failures) > 0 {
				t.Errorf("an honest disk loses as well: %s", strings.Join(failures, "\n"))
			}
			return
		}
	}
	t.Errorf("%d cuts with a disk that lies, and nothing was found", tried)
}

// once cuts at one moment of the scene and returns what failed.
func (a *account) once(t *testing.T, m moment, lie func(call) bool) []string {
	t.Helper()
	must(t, a.restart())
	_, err := a.interrupt(m, lie)
	must(t, err)
	return try(t, a.recover)
}
