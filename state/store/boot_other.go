//go:build !linux && !darwin

package store

// bootID names the time since the machine was started, "" when nobody knows it.
func bootID() string { return "" }
