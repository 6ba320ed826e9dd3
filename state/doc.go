// Package state is the vocabulary of Mailmoor: what a message, a mailbox and a
// folder are, what both sides last agreed on (a Record), what one side changed
// since (a LocalDelta, a RemoteDelta), and what is noted before an effect (an
// Intent). Everything else speaks in these types.
//
// The package is pure: it does no I/O and knows no clock, logger, goroutine or
// random source. Times are Unix seconds handed in by the caller.
//
// Persisted and exchanged types carry a Check method that states their
// invariants. It is called where data crosses a boundary, in both directions.
package state
