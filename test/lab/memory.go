package lab

import (
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// memory is where files cost nothing, however often they are synced.
	memory = "/dev/shm"
	// memoryBytes is more than the accounts of all tests that run at a time take there.
	memoryBytes = 2 << 30
)

// InMemory makes temporary directories lie in memory, if there is room for them and
// TMPDIR does not say otherwise. A package calls it in TestMain whose tests are not
// about the disk: on one, half of their time is spent on syncs. The disk is the subject
// of test/power; and maildir, state/store and test/conformance run where this machine
// has its temporary files. Servers lie in memory in any case.
func InMemory() {
	if dir := serversDir(); dir != "" {
		_ = os.Setenv("TMPDIR", dir)
	}
}

// serversDir returns in which directory servers have theirs; empty for that of all
// temporary files.
var serversDir = sync.OnceValue(func() string {
	if os.Getenv("TMPDIR") == "" && roomInMemory() {
		return memory
	}
	return ""
})

// roomInMemory reports whether memory is what it should be. Containers often have a
// small one, or one from which nothing may be run.
func roomInMemory() bool {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return false
	}
	mounted := false
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == memory {
			mounted = fields[2] == "tmpfs" && !strings.Contains(","+fields[3]+",", ",noexec,")
		}
	}
	var fs unix.Statfs_t
	return mounted && unix.Access(memory, unix.W_OK) == nil && unix.Statfs(memory, &fs) == nil &&
		fs.Bavail*uint64(fs.Bsize) >= memoryBytes
}
