//go:build crashtest

package main

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// crashVariable names an environment variable for the crash tests: the process
// kills itself, as kill -9 would, at that many durable effects (1 is the first).
// The effects of store, tree and server are counted together.
const crashVariable = "MAILMOOR_CRASH_AT"

// crashHook returns what the adapters call after each effect, nil when the
// variable does not ask for it.
func crashHook() func(point string) {
	at, err := strconv.ParseInt(os.Getenv(crashVariable), 10, 64)
	if err != nil || at < 1 {
		return nil
	}
	var effects atomic.Int64
	return func(string) {
		if effects.Add(1) != at {
			return
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment; nothing more may happen
	}
}
