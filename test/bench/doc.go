// Package bench measures Mailmoor and mbsync side by side: the same server, the same
// mail, the same hour. A table names the workloads; each is played by both programs from
// the same start, some rounds long, and medians are reported: time, processor, memory,
// bytes and round trips. Without flags sizes are small, and it is a test of itself.
//
//	make bench   # some minutes; writes docs/bench/bench.md
//	make scale   # hours, up to 200,000 messages; writes docs/bench/scale.md
//
// One benchmark compares a full Dovecot with one that has nothing but RFC 3501. See
// docs/testing.md for more.
package bench
