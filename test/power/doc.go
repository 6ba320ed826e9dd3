// Package power cuts the power while the program works, and looks what is left
// on the disks.
//
// The Maildir tree and the program's state lie on disks of their own, which are
// images mounted as loop devices. At the cut the program is stopped, both images
// are copied as they are, and the program is killed. What the kernel had not
// written to the images by then is not in the copies: it is lost, as when the
// power fails. The server goes on, for its power is another one. Then the copies
// are mounted instead, which replays their journals, and the program runs until
// it is at rest. Every message must be on both sides then, once and whole, as
// package scene has it.
//
// Each call by which the program makes something durable stops at the test
// first (seccomp's user notifications do that, without a change of the program). So
// it can be cut off before such a call and right after it, or any time later.
// On top of that the kernel may have written more than it was asked to: a cut can
// let it commit the journal of a disk before, or write everything.
//
// The test has to prove that it would see a fault: the disks can lie and do
// nothing when told to sync a directory, or a file. Then it must find lost mail.
//
// All cuts on all file systems:
//
//	make power
//
// A failure prints the command that plays it again. The order of the program's
// calls follows the server's answers, so that it may take some attempts.
package power
