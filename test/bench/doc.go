// Package bench measures Mailmoor against mbsync, in the same run on the same
// server: wall time, processor time and peak memory of whole processes. It
// reports ratios, because the machine's own speed is of no interest.
// One benchmark compares a full Dovecot with one that has nothing but RFC 3501.
//
//	make bench
package bench
