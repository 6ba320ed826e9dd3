//go:build !linux && !darwin

package store

// networkFileSystem cannot tell on this system.
func networkFileSystem(string) (string, error) { return "", nil }
