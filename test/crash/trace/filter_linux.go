package trace

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// stackRoom is how far below the top of the stack the filter is put: nothing is
// there yet when a program begins, and the kernel has mapped it.
const stackRoom = 16 << 10

// filter returns a program for seccomp that lets every call pass but those of the
// table, at which the thread stops. The offsets of the fields are those of struct
// seccomp_data: the number of the call is the first, the architecture follows.
func filter(table []call) []unix.SockFilter {
	const load, equal, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	program := []unix.SockFilter{
		{Code: load, K: 4},
		{Code: equal, K: auditArch, Jt: 1},
		{Code: give, K: unix.SECCOMP_RET_ALLOW},
		{Code: load, K: 0},
	}
	for _, c := range table {
		program = append(program,
			unix.SockFilter{Code: equal, K: uint32(c.number), Jf: 1},
			unix.SockFilter{Code: give, K: unix.SECCOMP_RET_TRACE})
	}
	return append(program, unix.SockFilter{Code: give, K: unix.SECCOMP_RET_ALLOW})
}

// install gives the filter to a program that has stopped before its first
// instruction, by making it call seccomp(2) itself: so the program may be any, and
// needs no helper that runs before it.
func (t *tracee) install(program []unix.SockFilter) error {
	var regs registers
	if err := regs.read(t.pid); err != nil {
		return fmt.Errorf("read the registers: %w", err)
	}
	// struct sock_fprog is a number of 16 bits and, 8 bytes further, a pointer.
	at := (regs.stack() - stackRoom) &^ 15
	data := make([]byte, 16, 16+8*len(program))
	binary.LittleEndian.PutUint16(data, uint16(len(program)))
	binary.LittleEndian.PutUint64(data[8:], uint64(at+16))
	for _, f := range program {
		data = binary.LittleEndian.AppendUint16(data, f.Code)
		data = append(data, f.Jt, f.Jf)
		data = binary.LittleEndian.AppendUint32(data, f.K)
	}
	if _, err := unix.PtracePokeData(t.pid, at, data); err != nil {
		return fmt.Errorf("write the filter: %w", err)
	}
	if err := t.inject(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if err := t.inject(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uint64(at)); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}

// inject makes the stopped program carry out one system call, and leaves it as it
// was.
func (t *tracee) inject(number uintptr, args ...uint64) error {
	var saved registers
	if err := saved.read(t.pid); err != nil {
		return err
	}
	text := make([]byte, len(trap))
	if _, err := unix.PtracePeekText(t.pid, saved.program(), text); err != nil {
		return err
	}
	if _, err := unix.PtracePokeText(t.pid, saved.program(), trap); err != nil {
		return err
	}
	regs := saved
	var six [6]uint64
	copy(six[:], args)
	regs.call(number, six)
	if err := regs.write(t.pid); err != nil {
		return err
	}
	if err := unix.PtraceCont(t.pid, 0); err != nil {
		return err
	}
	if err := t.awaitTrap(); err != nil {
		return err
	}
	if err := regs.read(t.pid); err != nil {
		return err
	}
	if _, err := unix.PtracePokeText(t.pid, saved.program(), text); err != nil {
		return err
	}
	if err := saved.write(t.pid); err != nil {
		return err
	}
	if n := regs.result(); n < 0 {
		return unix.Errno(-n)
	}
	return nil
}
