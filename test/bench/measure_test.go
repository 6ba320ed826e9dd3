package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailmoor/test/lab"
)

// cost is what one run used.
type cost struct {
	Wall, CPU  time.Duration
	Peak       int64 // bytes
	Up, Down   int64 // bytes, those of TLS included
	RoundTrips int64 // of all connections
}

// measure is set for a process that only runs another one and prints what that
// used. The kernel counts the memory of the process that a program was started
// from towards the program's peak: the test itself, with the mail of a whole
// account in memory, would spoil the figure.
const measure = "MAILMOOR_BENCH_MEASURE"

func TestMain(m *testing.M) {
	if os.Getenv(measure) == "" {
		flag.Parse()
		if *settling == 0 {
			lab.InMemory()
		}
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

// run runs a command to its end and returns what its process used.
func run(t testing.TB, command ...string) cost {
	t.Helper()
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
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said.String())
	}
	return c
}

// add adds what passed through connections.
func (c *cost) add(conns []lab.Traffic) {
	for _, passed := range conns {
		c.Up += passed.ToServer
		c.Down += passed.ToClient
		c.RoundTrips += passed.RoundTrips
	}
}

// median returns the median of each figure by itself.
func median(costs []cost) cost {
	return cost{
		Wall: middle(costs, func(c cost) time.Duration { return c.Wall }),
		CPU:  middle(costs, func(c cost) time.Duration { return c.CPU }),
		Peak: middle(costs, func(c cost) int64 { return c.Peak }),
		Up:   middle(costs, func(c cost) int64 { return c.Up }),
		Down: middle(costs, func(c cost) int64 { return c.Down }),

		RoundTrips: middle(costs, func(c cost) int64 { return c.RoundTrips }),
	}
}

func middle[T int64 | time.Duration](costs []cost, of func(cost) T) T {
	values := make([]T, 0, len(costs))
	for _, c := range costs {
		values = append(values, of(c))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
