// Package matrix plays the everyday life of an account on every server that
// test/lab can run and without each extension, kills the program in the middle of
// it, and keeps what has been learnt of each server: what it announces, and in
// what it differs from others. The tests hold the servers to what is written here,
// and docs/servers.md is written from it.
package matrix
