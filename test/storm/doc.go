// Package storm kills the program with SIGKILL again and again while very much
// mail goes both ways, until both sides are in step: nothing may be lost,
// nothing doubled, and the program must get on however often it dies.
//
// A run is killed 30 to 500 ms after its start. Before it can do anything it has to
// look at all that is new, so that there is a limit to what may wait for it (see
// -backlog): in so short a life nobody gets beyond a look at 100,000 messages.
//
// It holds tests only. The small share of every run of the tests takes some
// twenty seconds; `make storm` plays 100,000 messages arriving and 20,000 leaving.
// A run prints its seed, and how to play it again.
package storm
