//go:build !crashtest

package main

// crashHook returns no hook: only the crash tests build a program that kills
// itself, and nothing in the environment makes any other one do so.
func crashHook() func(point string) { return nil }
