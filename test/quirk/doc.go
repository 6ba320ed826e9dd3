// Package quirk is an IMAP server that does what no standard says and some real
// server does. It keeps its mail in memory and speaks IMAP4rev1 over TLS, with those
// extensions that the engine uses: CONDSTORE, ENABLE, ESEARCH, ID, IDLE, LIST-EXTENDED,
// LIST-STATUS, LITERAL+, MOVE, NAMESPACE, SASL-IR, SPECIAL-USE, UIDPLUS and UNSELECT.
//
// The server itself keeps to the standards. A [Quirk] changes what it says, byte for
// byte, or what it does; [Server.Switch] makes some of them its own until the next
// call. Each says in its field Seen which server behaves so and where that is reported.
//
// The server of go-imap cannot stand behind this: it knows neither CONDSTORE nor
// MODSEQ, which is how the engine sees changes on most servers, and a layer on its
// wire could not make them up.
//
// The tests of this package run the whole engine against it, with a Maildir tree on the
// disk and the real store. After every run they check that no message got lost or
// doubled.
package quirk
