package trace

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const auditArch = unix.AUDIT_ARCH_AARCH64

// trap is "svc #0; brk #0".
var trap = []byte{0x01, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x20, 0xd4}

// oldCalls are those that only older architectures have.
func oldCalls() []call { return nil }

// registers are those of a stopped thread.
type registers struct{ unix.PtraceRegsArm64 }

func (r *registers) read(thread int) error {
	return unix.PtraceGetRegSetArm64(thread, unix.NT_PRSTATUS, &r.PtraceRegsArm64)
}

func (r *registers) write(thread int) error {
	return unix.PtraceSetRegSetArm64(thread, unix.NT_PRSTATUS, &r.PtraceRegsArm64)
}

func (r *registers) arguments() [6]uint64 { return [6]uint64(r.Regs[:6]) }

func (r *registers) stack() uintptr   { return uintptr(r.Sp) }
func (r *registers) program() uintptr { return uintptr(r.Pc) }
func (r *registers) result() int64    { return int64(r.Regs[0]) }

// number returns the number of the call at whose beginning the thread has stopped.
func (r *registers) number() uint64 { return r.Regs[8] }

// call makes the thread begin this system call at its next instruction.
func (r *registers) call(number uintptr, args [6]uint64) {
	copy(r.Regs[:6], args[:])
	r.Regs[8] = uint64(number)
}

// fail makes the call at whose beginning the thread has stopped return -errno
// without happening.
func fail(thread int, r *registers, errno unix.Errno) error {
	none := int32(-1)
	part := unix.Iovec{Base: (*byte)(unsafe.Pointer(&none)), Len: 4}
	_, _, e := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SETREGSET, uintptr(thread), unix.NT_ARM_SYSTEM_CALL,
		uintptr(unsafe.Pointer(&part)), 0, 0)
	if e != 0 {
		return os.NewSyscallError("ptrace", e)
	}
	r.Regs[0] = -uint64(errno)
	return r.write(thread)
}
