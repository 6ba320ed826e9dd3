package power

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

// The test binary starts itself in two other roles, which these variables of the
// environment choose.
const (
	// launchVariable names the program to start under watch.
	launchVariable = "POWER_TEST_LAUNCH"
	// apartVariable is set once the test has mounts of its own.
	apartVariable = "POWER_TEST_APART"
)

func TestMain(m *testing.M) {
	if program := os.Getenv(launchVariable); program != "" {
		fmt.Fprintln(os.Stderr, launch(program))
		os.Exit(1)
	}
	flag.Parse()
	if os.Geteuid() == 0 && os.Getenv(apartVariable) == "" {
		// Without mounts of our own the test cannot be played: it says so.
		if err := standApart(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	lab.InMemory()
	code := m.Run()
	if err := scene.RemoveProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// standApart starts the test binary again with mounts of its own, in the same
// process. Whatever is mounted is gone with the process then, even one that is
// killed, and the loop devices with it. It returns only if it cannot.
func standApart() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("get mounts of our own: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep our mounts to ourselves: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), apartVariable+"=1"))
}
