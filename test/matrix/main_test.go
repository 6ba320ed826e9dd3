package matrix_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

var updateFlag = flag.Bool("update", false, "write docs/servers.md; with -full also the results that it shows")

const (
	document    = "../../docs/servers.md"
	resultsFile = "testdata/results.txt"
)

func TestMain(m *testing.M) {
	flag.Parse()
	lab.InMemory()
	code := m.Run()
	err := os.RemoveAll(scratch())
	if code == 0 && *updateFlag {
		err = errors.Join(err, update())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// passed has what passed in this run, by server and mask.
var passed struct {
	sync.Mutex
	results map[[2]string]matrix.Result
}

// record notes what has passed, unless the test has failed.
func record(t *testing.T, server, mask string, life bool, kills int) {
	t.Helper()
	if t.Failed() {
		return
	}
	passed.Lock()
	defer passed.Unlock()
	if passed.results == nil {
		passed.results = make(map[[2]string]matrix.Result)
	}
	key := [2]string{server, mask}
	r := passed.results[key]
	passed.results[key] = matrix.Result{Server: server, Mask: mask, Life: r.Life || life, Kills: max(r.Kills, kills)}
}

// expected returns what a full run plays, in the order of the page.
func expected() [][2]string {
	var list [][2]string
	for _, s := range matrix.Servers() {
		list = append(list, [2]string{s.Name, ""})
	}
	for _, mask := range matrix.Masks() {
		list = append(list, [2]string{matrix.Servers()[0].Name, mask.String()})
	}
	return list
}

// complete reports results that lack something.
func complete(results []matrix.Result) error {
	for i, key := range expected() {
		if i >= len(results) || results[i].Server != key[0] || results[i].Mask != key[1] || !results[i].Life || results[i].Kills == 0 {
			return fmt.Errorf("%s without %q was not played in full: make matrix MATRIXFLAGS=-update", key[0], key[1])
		}
	}
	return nil
}

// update writes the results of a full run, and the page.
func update() error {
	if *fullFlag {
		text := "# Written by make matrix MATRIXFLAGS=-update: day; server, hidden, how often killed.\n" + time.Now().UTC().Format(time.DateOnly) + "\n"
		var results []matrix.Result
		for _, key := range expected() {
			r := passed.results[key]
			results = append(results, r)
			text += fmt.Sprintf("%s\t%s\t%d\n", r.Server, r.Mask, r.Kills)
		}
		if err := complete(results); err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(resultsFile), 0o755), os.WriteFile(resultsFile, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	day, results, err := stored()
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(matrix.Document(day, results)), 0o644)
}

// stored reads the results of the last full run.
func stored() (day string, results []matrix.Result, err error) {
	data, err := os.ReadFile(resultsFile)
	if err != nil {
		return "", nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") })
	for i, line := range lines {
		if i == 0 {
			day = line
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			return "", nil, fmt.Errorf("%s: bad line %q", resultsFile, line)
		}
		kills, err := strconv.Atoi(fields[2])
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", resultsFile, err)
		}
		results = append(results, matrix.Result{Server: fields[0], Mask: fields[1], Life: true, Kills: kills})
	}
	return day, results, complete(results)
}

// TestDocument: the page about servers says what the table and the last full run
// say, and that run left nothing out.
func TestDocument(t *testing.T) {
	if *updateFlag {
		t.Skip("it is being written")
	}
	day, results, err := stored()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(matrix.Document(day, results), "\n"), strings.Split(string(page), "\n")); diff != "" {
		t.Errorf("docs/servers.md is stale, go test ./test/matrix -run Document -update writes it (-table +page):\n%s", diff)
	}
}

// TestUses: each extension of the page is hidden in one of the masks, and plain
// RFC 3501 lacks all of them.
func TestUses(t *testing.T) {
	uses := matrix.Uses()
	if !slices.IsSortedFunc(uses, func(a, b matrix.Use) int { return cmp.Compare(a.Capability, b.Capability) }) {
		t.Error("the extensions are not in order")
	}
	for _, u := range uses {
		if !slices.Contains(matrix.Plain(), u.Capability) {
			t.Errorf("plain RFC 3501 has %s", u.Capability)
		}
		if !slices.ContainsFunc(matrix.Masks(), func(m matrix.Mask) bool { return len(m) == 1 && m[0] == u.Capability }) {
			t.Errorf("%s is never hidden alone", u.Capability)
		}
	}
}
