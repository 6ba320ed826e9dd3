//go:build !linux && !darwin

package store

// freeBytes cannot tell on this system.
func freeBytes(string) (free uint64, known bool, err error) { return 0, false, nil }
