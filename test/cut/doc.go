// Package cut holds tests that break the line between Mailmoor and a real
// Dovecot at every byte of their conversation.
//
// Each scene is played once undisturbed, and what passes is recorded. Then it
// is played again for every place: the line breaks after exactly so many bytes
// of one direction. It breaks as a reset of TCP, as an orderly end of TLS, as
// an end of TCP without one, or it just goes silent, and what was sent may even
// arrive when nobody expects it any more. The run that suffers this may fail, but
// only with an error of the network; it must neither say that something was done
// which was not, nor blame a message. The runs after it, on a good line, must bring
// both sides to where an undisturbed run brings them.
//
// A plain go test draws a few places at random and prints the seed. All places,
// which takes many hours, or every 97th, and only some of them:
//
//	make cut
//	make cut K=97
//	make cut K=97 CUTFLAGS='-scene=upload -mask=bare -dir=up -how=reset'
//
// A failure prints the command that plays it again.
package cut
