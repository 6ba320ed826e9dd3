// Package crash disturbs the program, as users get it, at every system call.
//
// Each scene of test/scene is played again and again. Each time the program is
// killed at another one of the calls by which it writes, renames, links, removes,
// syncs or talks to the server, before or after the call has had its effect; or
// the call fails for want of disk space, of descriptors, or with an I/O error.
// Then the program runs without any fault until it is at rest, and the oracle of
// the scene says whether all mail is there, once.
//
// By default a point of each scene and mode is chosen at random, and -seed repeats
// the choice. -share=0 takes all of them, as make crash does; -every=K takes every
// K-th. -scene and -mode choose what is played, -at one point:
//
//	go test ./test/crash -run TestCrash -scene=upload -mode=kill-before -at=123
//
// Several goroutines of the program race each other, so that the same number need
// not be the same call in each run: with -count=20 it soon is.
package crash
