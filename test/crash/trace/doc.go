// Package trace runs a program under ptrace and disturbs it at one system call:
// it kills the program before the call has an effect or after it had, or makes
// the call fail. The program is any binary as it is.
//
// Calls are counted over all threads in the order in which they begin. strace
// can do much of this, but its inject=...:when=N counts for each thread by
// itself, and the threads of a Go program take turns as they please: the N-th
// call of a run could neither be named nor be reached reliably. strace also stops
// twice at every system call; here a filter of seccomp lets all that does not
// count pass at full speed, so that a run under the tracer takes only a few
// milliseconds longer. ptrace(2), seccomp(2).
//
// Only Linux on amd64 and arm64 can do that.
package trace
