package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
)

// standInMin is the least stand-in for a UIDVALIDITY that is too large. Numbers from
// there on are not in use: servers count from 1, or take the seconds since 1970,
// which stay below it until 2038.
const standInMin = 1 << 31

// validity returns a UIDVALIDITY as go-imap and the state can hold it, and false for
// what is no number. RFC 9051, section 9, gives it 32 bits; a server that
// takes milliseconds since 1970 (go-imap issue 612) needs 41.
//
// It is never counted with, only compared. So one that is too large is replaced by
// 31 bits of the SHA-256 of its digits, the same ones in every run. Cut to 32
// bits, numbers that are 2^32 apart would be one, and a server that renumbers by
// just that would not be seen to do so; of two digests each pair of numbers has
// the same chance to be equal, one in two thousand million, and then the UIDs
// that went back or name other messages still show it.
func validity(number string) (string, bool) {
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return "", false
	}
	if isNumber(number, 32) {
		return number, true
	}
	sum := sha256.Sum256([]byte(strings.TrimLeft(number, "0")))
	return strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[:])|standInMin), 10), true
}
