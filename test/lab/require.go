package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// debianPackage names the Debian package that holds the program.
func debianPackage(program string) string {
	switch program {
	case "dovecot", "doveadm":
		return "dovecot-imapd"
	case "mbsync":
		return "isync"
	case "mkfs.exfat":
		return "exfatprogs"
	case "mount.exfat-fuse":
		return "exfat-fuse"
	case "losetup":
		return "mount"
	}
	return program
}

// Require skips the test when the program is not installed, and says what to
// install. Where servers are promised (CI=true, or MAILMOOR_REQUIRE_SERVERS=1)
// a missing program fails the test: a skipped test proves nothing.
func Require(t testing.TB, program string) {
	t.Helper()
	if err := lookFor(program); err != nil {
		if serversPromised() {
			t.Fatalf("%v; CI and MAILMOOR_REQUIRE_SERVERS=1 do not allow skipping", err)
		}
		t.Skip(err)
	}
}

func serversPromised() bool {
	return os.Getenv("CI") == "true" || os.Getenv("MAILMOOR_REQUIRE_SERVERS") == "1"
}

// lookFor reports why the program cannot be used.
func lookFor(program string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("%s is not installed; on Debian and Ubuntu: apt install %s",
			program, debianPackage(program))
	}
	if program != "dovecot" {
		return nil
	}
	version, err := dovecotVersion()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", path, err)
	}
	// The configuration language changed in 2.4.
	if !strings.HasPrefix(version, "2.3.") {
		return fmt.Errorf("dovecot 2.3 is needed, installed is %s", version)
	}
	return nil
}

var dovecotVersion = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("dovecot", "--version").Output()
	return strings.TrimSpace(string(out)), err
})
