// Package wire brings an IMAP connection up and keeps it safe underneath
// go-imap's client.
//
// Dial does everything that involves trust: TCP, TLS or STARTTLS, the greeting,
// CAPABILITY, login, ID. What it returns is a net.Conn on which go-imap sees a
// session that is logged in from the greeting on, "* PREAUTH [CAPABILITY ...]".
// So neither a secret nor a plaintext phase ever passes the library, and it
// uses only those capabilities that it handles well.
//
// From then on the Conn watches both directions. It counts literals, so it
// knows at every byte whether it is inside a line, a literal or between two
// responses. On that rest:
//
//   - deadlines on progress ("no byte for a minute while an answer is due"),
//     instead of absolute ones that a large message on a slow line must miss;
//   - an end of file inside a response is an error, never a short message;
//   - lines and literals have a greatest length;
//   - responses that the library would answer by giving the connection up are
//     repaired or left out, and what was done is remembered (see Notes);
//   - response codes that the library does not report are collected (see Notes);
//   - APPEND need not wait for the server's permission where LITERAL+ allows it.
//
// One goroutine per Conn, the pump, reads from the server and ends with Close
// or with the first error. Everything else happens in the callers' goroutines.
package wire
