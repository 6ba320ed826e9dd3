package trace

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Call is a system call that a program is about to make.
type Call struct {
	Name string
	// Object is what a call that begins with a descriptor is about: a path, or
	// "socket:[7]". For other calls it is empty.
	Object string
	// Creates is true for an open that may create or truncate the file.
	Creates bool
	// Text is the call in words, with the paths that it names. Only the call that
	// was disturbed has one.
	Text string
}

// call describes a kind of system call.
type call struct {
	name   string
	number uintptr
	// object is true when the first argument is the descriptor that the call is
	// about; paths are the arguments that are paths; flags is the argument with the
	// flags of an open, -1 without one.
	object bool
	paths  []int
	flags  int
}

// calls returns what can be traced, for this architecture.
func calls() []call {
	table := []call{
		{name: "connect", number: unix.SYS_CONNECT, object: true},
		{name: "copy_file_range", number: unix.SYS_COPY_FILE_RANGE},
		{name: "fallocate", number: unix.SYS_FALLOCATE, object: true},
		{name: "fchmod", number: unix.SYS_FCHMOD, object: true},
		{name: "fchmodat", number: unix.SYS_FCHMODAT, paths: []int{1}},
		{name: "fdatasync", number: unix.SYS_FDATASYNC, object: true},
		{name: "fsync", number: unix.SYS_FSYNC, object: true},
		{name: "ftruncate", number: unix.SYS_FTRUNCATE, object: true},
		{name: "getdents64", number: unix.SYS_GETDENTS64, object: true},
		{name: "linkat", number: unix.SYS_LINKAT, paths: []int{1, 3}},
		{name: "mkdirat", number: unix.SYS_MKDIRAT, paths: []int{1}},
		{name: "openat", number: unix.SYS_OPENAT, paths: []int{1}, flags: 2},
		{name: "pread64", number: unix.SYS_PREAD64, object: true},
		{name: "pwrite64", number: unix.SYS_PWRITE64, object: true},
		{name: "pwritev", number: unix.SYS_PWRITEV, object: true},
		{name: "read", number: unix.SYS_READ, object: true},
		{name: "readv", number: unix.SYS_READV, object: true},
		{name: "recvfrom", number: unix.SYS_RECVFROM, object: true},
		{name: "recvmsg", number: unix.SYS_RECVMSG, object: true},
		{name: "renameat", number: unix.SYS_RENAMEAT, paths: []int{1, 3}},
		{name: "renameat2", number: unix.SYS_RENAMEAT2, paths: []int{1, 3}},
		{name: "sendfile", number: unix.SYS_SENDFILE, object: true},
		{name: "sendmsg", number: unix.SYS_SENDMSG, object: true},
		{name: "sendto", number: unix.SYS_SENDTO, object: true},
		{name: "socket", number: unix.SYS_SOCKET},
		{name: "symlinkat", number: unix.SYS_SYMLINKAT, paths: []int{0, 2}},
		{name: "sync_file_range", number: unix.SYS_SYNC_FILE_RANGE, object: true},
		{name: "syncfs", number: unix.SYS_SYNCFS, object: true},
		{name: "truncate", number: unix.SYS_TRUNCATE, paths: []int{0}},
		{name: "unlinkat", number: unix.SYS_UNLINKAT, paths: []int{1}},
		{name: "utimensat", number: unix.SYS_UTIMENSAT, paths: []int{1}},
		{name: "write", number: unix.SYS_WRITE, object: true},
		{name: "writev", number: unix.SYS_WRITEV, object: true},
	}
	return append(table, oldCalls()...)
}

// look describes the call that a thread is about to make.
func (c *call) look(thread int, args [6]uint64) Call {
	seen := Call{Name: c.name}
	if c.object {
		// A descriptor that is not open is a mistake of the program.
		seen.Object, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, int32(args[0])))
	}
	if c.flags > 0 {
		seen.Creates = args[c.flags]&(unix.O_CREAT|unix.O_TRUNC) != 0
	}
	return seen
}

// words describes the call with the paths that it names.
func (c *call) words(thread int, args [6]uint64, seen Call) string {
	about := []string{}
	if seen.Object != "" {
		about = append(about, seen.Object)
	}
	for _, i := range c.paths {
		about = append(about, fmt.Sprintf("%q", readString(thread, uintptr(args[i]))))
	}
	return c.name + "(" + strings.Join(about, ", ") + ")"
}

// pathBytesMax bounds what is read of a path.
const pathBytesMax = 256

// readString reads a C string from the memory of a stopped thread.
func readString(thread int, address uintptr) string {
	data := make([]byte, pathBytesMax)
	// A path near the end of mapped memory is cut short: it is read word by word.
	n, _ := unix.PtracePeekData(thread, address, data)
	text, _, _ := strings.Cut(string(data[:n]), "\x00")
	return text
}
