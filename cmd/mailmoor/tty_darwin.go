package main

import "golang.org/x/sys/unix"

// The requests that read and set the modes of a terminal.
const (
	ttyGet = unix.TIOCGETA
	ttySet = unix.TIOCSETA
)
