// Package lab runs real mail servers for tests, and the proxies that make them
// behave worse than they are.
//
// [Dovecot] starts a throw-away daemon on loopback with its own certificate
// authority, storage and users. The methods of [Server] act as another client
// of the account: they use go-imap, doveadm or the server's own files, never
// the code under test.
//
// [Mask] stands in front of a server and hides extensions from the client, as
// if the server had never heard of them. [Faults] cuts, delays and throttles
// the byte stream. Both count and record what passes.
package lab
