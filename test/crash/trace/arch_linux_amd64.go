package trace

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// trap is "syscall; int3".
var trap = []byte{0x0f, 0x05, 0xcc}

// oldCalls are those that newer architectures do not have.
func oldCalls() []call {
	return []call{
		{name: "chmod", number: unix.SYS_CHMOD, paths: []int{0}},
		{name: "link", number: unix.SYS_LINK, paths: []int{0, 1}},
		{name: "mkdir", number: unix.SYS_MKDIR, paths: []int{0}},
		{name: "open", number: unix.SYS_OPEN, paths: []int{0}, flags: 1},
		{name: "rename", number: unix.SYS_RENAME, paths: []int{0, 1}},
		{name: "rmdir", number: unix.SYS_RMDIR, paths: []int{0}},
		{name: "symlink", number: unix.SYS_SYMLINK, paths: []int{0, 1}},
		{name: "unlink", number: unix.SYS_UNLINK, paths: []int{0}},
	}
}

// registers are those of a stopped thread.
type registers struct{ unix.PtraceRegs }

func (r *registers) read(thread int) error  { return unix.PtraceGetRegs(thread, &r.PtraceRegs) }
func (r *registers) write(thread int) error { return unix.PtraceSetRegs(thread, &r.PtraceRegs) }

func (r *registers) arguments() [6]uint64 {
	return [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}
}

func (r *registers) stack() uintptr   { return uintptr(r.Rsp) }
func (r *registers) program() uintptr { return uintptr(r.Rip) }
func (r *registers) result() int64    { return int64(r.Rax) }

// number returns the number of the call at whose beginning the thread has stopped.
func (r *registers) number() uint64 { return r.Orig_rax }

// call makes the thread begin this system call at its next instruction.
func (r *registers) call(number uintptr, args [6]uint64) {
	r.Rax, r.Orig_rax = uint64(number), ^uint64(0)
	r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
}

// fail makes the call at whose beginning the thread has stopped return -errno
// without happening.
func fail(thread int, r *registers, errno unix.Errno) error {
	r.Orig_rax, r.Rax = ^uint64(0), -uint64(errno)
	return r.write(thread)
}
