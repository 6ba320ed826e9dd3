package crash

import (
	"slices"
	"strings"
	"syscall"

	"mailmoor/test/crash/trace"
)

// mode is a way to disturb the program.
type mode struct {
	name   string
	effect trace.Effect
	errno  syscall.Errno
	// counts reports whether a call is disturbed by this mode. home is where all
	// files of the account are.
	counts func(c trace.Call, home string) bool
}

func modes() []mode {
	return []mode{
		{"kill-before", trace.KillBefore, 0, isEffect},
		{"kill-after", trace.KillAfter, 0, isEffect},
		{"enospc", trace.Fail, syscall.ENOSPC, needsSpace},
		{"eio", trace.Fail, syscall.EIO, touchesDisk},
		{"emfile", trace.Fail, syscall.EMFILE, needsDescriptor},
	}
}

// reading are the calls that read a file, a directory or a socket.
var reading = []string{"read", "readv", "pread64", "recvfrom", "recvmsg", "getdents64"}

// isEffect reports whether somebody else could see the call: another process, the
// disk, or the server.
func isEffect(c trace.Call, home string) bool {
	switch {
	case c.Name == "socket":
		return false
	case isOpen(c):
		return c.Creates
	case slices.Contains(reading, c.Name):
		// What the server says decides what is done next.
		return isSocket(c)
	}
	return c.Object == "" || isSocket(c) || isBelow(c, home)
}

// needsSpace reports whether the call can fail because the disk is full.
func needsSpace(c trace.Call, home string) bool {
	switch {
	case isOpen(c):
		return c.Creates
	case isSync(c):
		return true
	case strings.HasPrefix(c.Name, "write"), strings.HasPrefix(c.Name, "pwrite"):
		return isBelow(c, home)
	}
	return slices.Contains([]string{
		"copy_file_range", "fallocate", "ftruncate", "link", "linkat", "mkdir", "mkdirat",
		"rename", "renameat", "renameat2", "symlink", "symlinkat",
	}, c.Name)
}

// touchesDisk reports whether the call can fail because the disk is broken.
func touchesDisk(c trace.Call, home string) bool {
	if slices.Contains(reading, c.Name) {
		return isBelow(c, home)
	}
	return isEffect(c, home) && !isSocket(c)
}

// needsDescriptor reports whether the call can fail because the process has too
// many open files.
func needsDescriptor(c trace.Call, _ string) bool { return isOpen(c) || c.Name == "socket" }

func isOpen(c trace.Call) bool { return c.Name == "openat" || c.Name == "open" }

func isSync(c trace.Call) bool {
	return slices.Contains([]string{"fsync", "fdatasync", "syncfs", "sync_file_range"}, c.Name)
}

func isSocket(c trace.Call) bool { return strings.HasPrefix(c.Object, "socket:") }

func isBelow(c trace.Call, home string) bool { return strings.HasPrefix(c.Object, home+"/") }
