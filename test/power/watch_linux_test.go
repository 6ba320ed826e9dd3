package power

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of linux/seccomp.h, for which package unix has no types.
type (
	seccompNotice struct {
		id    uint64
		pid   uint32
		flags uint32
		nr    int32
		arch  uint32
		ip    uint64
		args  [6]uint64
	}
	seccompAnswer struct {
		id    uint64
		value int64
		error int32
		flags uint32
	}
)

// watched are the system calls that make something durable.
func watched() []uint32 {
	return []uint32{unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNCFS, unix.SYS_MSYNC}
}

// launch asks the kernel to tell about the watched calls of this process, hands
// the listener to the test over descriptor 3, and becomes the program. It returns
// only if it cannot.
func launch(program string) error {
	// The filter is that of the thread, and of the program that it becomes. The
	// thread is never let go.
	var filter []unix.SockFilter
	add := func(code uint16, jt, jf uint8, k uint32) {
		filter = append(filter, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
	}
	calls := watched()
	add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, 0) // the number of the call
	for i, call := range calls {
		add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, uint8(len(calls)-i), 0, call)
	}
	add(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ALLOW)
	add(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_USER_NOTIF)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	code := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&code)))
	if errno != 0 {
		return fmt.Errorf("watch the calls: %w", errno)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
		return fmt.Errorf("hand over the listener: %w", err)
	}
	unix.CloseOnExec(int(listener))
	unix.CloseOnExec(3)
	return unix.Exec(program, os.Args, os.Environ())
}

// watch is a run of the program whose syncs are watched.
type watch struct {
	cmd      *exec.Cmd
	listener int
	process  int // a descriptor for the process
	// exited is closed when the program has ended.
	exited chan struct{}
}

// call is one call that makes something durable, as the program made it.
type call struct {
	notice seccompNotice
	// name says which call it is, on what.
	name string
	// file is a duplicate of the program's descriptor, -1 for a call that has none.
	file      int
	directory bool
	at        time.Time
}

// startWatched starts the command under watch.
func startWatched(cmd *exec.Cmd) (*watch, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := pair[0], os.NewFile(uintptr(pair[1]), "launcher")
	defer unix.Close(ours)
	cmd.Env = append(cmd.Env, launchVariable+"="+cmd.Path)
	if cmd.Path, err = os.Executable(); err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	w := &watch{cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(w.exited)
		_ = cmd.Wait() // ProcessState tells
	}()
	if w.listener, err = receive(ours); err == nil {
		w.process, err = unix.PidfdOpen(cmd.Process.Pid, 0)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		<-w.exited
		return nil, fmt.Errorf("watch the program: %w", err)
	}
	return w, nil
}

// receive takes the listener from the launcher.
func receive(socket int) (int, error) {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return -1, errors.Join(err, errors.New("the launcher sent no listener"))
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return files[0], nil
}

// next waits for the next call, but not beyond the deadline if there is one. It
// returns nil when the program has ended or the time has come.
func (w *watch) next(deadline time.Time) (*call, error) {
	for {
		timeout := -1
		if !deadline.IsZero() {
			timeout = int(max(0, time.Until(deadline)).Milliseconds())
		}
		polled := []unix.PollFd{{Fd: int32(w.listener), Events: unix.POLLIN}}
		n, err := unix.Poll(polled, timeout)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			// Poll knows milliseconds only.
			time.Sleep(time.Until(deadline))
			return nil, nil
		case polled[0].Revents&unix.POLLIN == 0:
			return nil, nil // nobody is left to be watched
		}
		c := &call{file: -1}
		err = control(w.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&c.notice))
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINTR) {
			continue // who called has been killed, or the call will be made anew
		}
		if err != nil {
			return nil, fmt.Errorf("learn of a call: %w", err)
		}
		return c, w.look(c)
	}
}

// look finds out what a call is about.
func (w *watch) look(c *call) error {
	c.at = time.Now()
	switch c.notice.nr {
	case unix.SYS_MSYNC:
		c.name = "msync"
		return nil
	case unix.SYS_FSYNC:
		c.name = "fsync"
	case unix.SYS_FDATASYNC:
		c.name = "fdatasync"
	case unix.SYS_SYNCFS:
		c.name = "syncfs"
	}
	number := int(int32(c.notice.args[0]))
	var err error
	if c.file, err = unix.PidfdGetfd(w.process, number, 0); err != nil {
		return fmt.Errorf("get descriptor %d of the program: %w", number, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(c.file, &st); err != nil {
		return err
	}
	c.directory = st.Mode&unix.S_IFMT == unix.S_IFDIR
	path, err := os.Readlink(filepath.Join("/proc/self/fd", strconv.Itoa(c.file)))
	c.name += " " + path
	return err
}

// perform makes the call for the program, which waits for it. It returns what
// the program shall be told.
func (c *call) perform() unix.Errno {
	var err error
	switch c.notice.nr {
	case unix.SYS_FSYNC:
		err = unix.Fsync(c.file)
	case unix.SYS_FDATASYNC:
		err = unix.Fdatasync(c.file)
	case unix.SYS_SYNCFS:
		err = unix.Syncfs(c.file)
	}
	var errno unix.Errno
	errors.As(err, &errno)
	return errno
}

// answer lets the program go on after the call.
func (w *watch) answer(c *call, errno unix.Errno) error {
	answer := seccompAnswer{id: c.notice.id, error: -int32(errno)}
	if c.file < 0 {
		// Only the program itself can make this one.
		answer.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	err := control(w.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer))
	if errors.Is(err, unix.ENOENT) {
		err = nil // who called has been killed
	}
	return err
}

func (c *call) close() {
	if c.file >= 0 {
		unix.Close(c.file)
	}
}

func control(fd int, request uint, arg unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}

// stopMax is far beyond what a process needs to stop.
const stopMax = 20 * time.Second

// stop stops all threads of the program, in the middle of what they do.
func (w *watch) stop() error {
	for deadline := time.Now().Add(stopMax); time.Now().Before(deadline); time.Sleep(50 * time.Microsecond) {
		// Once may not be enough: the signal is lost while one program becomes
		// another.
		err := w.cmd.Process.Signal(unix.SIGSTOP)
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		if err != nil {
			return err
		}
		running, err := w.running()
		if running == 0 || err != nil {
			return err
		}
	}
	return fmt.Errorf("the program was not to be stopped within %v", stopMax)
}

// running counts the threads of the program that are not stopped.
func (w *watch) running() (int, error) {
	stats, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(w.cmd.Process.Pid), "task", "*", "stat"))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // the thread has ended
		}
		// Behind the name, which may hold anything, stands the state.
		_, rest, _ := strings.Cut(string(text), ") ")
		if !strings.HasPrefix(rest, "T") && !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X") {
			n++
		}
	}
	return n, nil
}

// over reports whether nobody is left to be watched: the program has ended, or is
// about to.
func (w *watch) over() bool {
	polled := []unix.PollFd{{Fd: int32(w.listener)}}
	n, err := unix.Poll(polled, 0)
	return err == nil && n == 1 && polled[0].Revents&unix.POLLHUP != 0
}

// end kills the program if it still runs, and lets go of it.
func (w *watch) end() {
	_ = w.cmd.Process.Kill()
	<-w.exited
	unix.Close(w.listener)
	unix.Close(w.process)
}
