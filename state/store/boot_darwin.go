package store

import "golang.org/x/sys/unix"

// bootID names the time since the machine was started, "" when nobody knows it.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "" // every unclean stop counts as one of the machine then
	}
	return id
}
