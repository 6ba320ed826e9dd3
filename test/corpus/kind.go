package corpus

import "math/rand/v2"

// Kind says what is special about a message.
type Kind uint8

// The kinds.
const (
	KindPlain          Kind = iota // text, encoded as it should be
	KindMultipart                  // text and one to three attachments
	KindEightBit                   // raw Latin-1 in header and body
	KindLongLines                  // lines far beyond 998 bytes
	KindNoMessageID                // the token is in the text
	KindDuplicate                  // an earlier message again, byte for byte
	KindSameID                     // shares its Message-ID with a different message
	KindHeaderOnly                 // ends after the header, without the empty line
	KindBareLF                     // some lines end in LF alone
	KindNoFinalEOL                 // the last line does not end
	KindMboxFrom                   // begins with the "From " line of an mbox
	KindEmptyBody                  // nothing follows the empty line
	KindEncodedSubject             // encoded words in the header, RFC 2047
	KindRawSubject                 // raw UTF-8 in the header, RFC 6532
	KindHugeHeader                 // a header of about 100 kB
	KindBinary                     // every byte but NUL, CR and LF in the body
	kindCount
)

// String returns the name of the kind.
func (k Kind) String() string {
	return [...]string{
		"plain", "multipart", "8-bit", "long lines", "no Message-ID", "duplicate",
		"same Message-ID", "header only", "bare LF", "no final EOL", "mbox From_",
		"empty body", "encoded subject", "raw subject", "huge header", "binary",
	}[k]
}

// kindAt draws the kind of message i, as the first thing from its random
// source. Ordinary mail is most frequent; the huge header is rare because it
// would dominate the size of the corpus.
func kindAt(random *rand.Rand, i int) Kind {
	draw := random.IntN(100)
	switch {
	case i < int(kindCount):
		return Kind(i)
	case draw < 35:
		return KindPlain
	case draw < 60:
		return KindMultipart
	case draw < 61:
		return KindHugeHeader
	}
	for {
		if kind := Kind(random.IntN(int(kindCount))); kind != KindHugeHeader {
			return kind
		}
	}
}
