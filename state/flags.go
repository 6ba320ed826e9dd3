package state

// Flags is a set of the six Maildir flags. Each is a one-bit register of its
// own, so merging them cannot conflict.
type Flags uint8

// The Maildir flags with the IMAP flags and the keyword that they stand for.
const (
	Draft    Flags = 1 << iota // D, \Draft
	Flagged                    // F, \Flagged
	Passed                     // P, $Forwarded
	Answered                   // R, \Answered
	Seen                       // S, \Seen
	Trashed                    // T, \Deleted

	AllFlags = Draft | Flagged | Passed | Answered | Seen | Trashed
)

// flagLetters lists the letters in the order of the bits, which is the ASCII
// order in which Maildir info wants them.
const flagLetters = "DFPRST"

// String returns the Maildir letters of f in ASCII order.
func (f Flags) String() string {
	var letters [len(flagLetters)]byte
	n := 0
	for i := range flagLetters {
		if f&(1<<i) != 0 {
			letters[n] = flagLetters[i]
			n++
		}
	}
	return string(letters[:n])
}

// ParseFlags returns the flags that the Maildir letters stand for. Letters
// that stand for none of the six are ignored: they belong to others.
func ParseFlags(letters string) Flags {
	var f Flags
	for i := range len(letters) {
		for bit := range flagLetters {
			if letters[i] == flagLetters[bit] {
				f |= 1 << bit
			}
		}
	}
	return f
}

// MergeFlags merges two sides that have both started from base: for each flag
// the side that changed it wins, and where both changed it they agree.
func MergeFlags(base, local, remote Flags) Flags {
	return local&remote | (local^remote)&^base
}

// Significant reports whether the change from base to now shows that somebody
// still wants the message, so that it must survive a deletion on the other
// side. Reading it, or marking it deleted, does not.
func Significant(base, now Flags) bool {
	added, removed := now&^base, base&^now
	return added&^(Seen|Trashed) != 0 || removed != 0
}
