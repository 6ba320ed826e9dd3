// Package matrix plays the everyday life of an account on every server that
// test/lab can run, and keeps what has been learnt of each of them: what it
// announces, and in what it differs from others. The tests hold the servers to
// what is written here.
package matrix
