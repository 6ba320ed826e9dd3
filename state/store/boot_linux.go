package store

import (
	"os"
	"strings"
)

// bootID names the time since the machine was started, "" when nobody knows it.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "" // without /proc, every unclean stop counts as one of the machine
	}
	return strings.TrimSpace(string(id))
}
