package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"mailmoor/state"
)

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowSum collects the values of a row for its checksum. SQLite has none of its
// own, and one flipped bit in a UID would turn into a message that has
// vanished and another one that is new.
type rowSum []byte

func (s rowSum) num(values ...int64) rowSum {
	for _, v := range values {
		s = binary.BigEndian.AppendUint64(s, uint64(v))
	}
	return s
}

// added is num for the columns that a later schema added to a table. All zero they
// do not count, so that the sums of earlier rows stay valid.
func (s rowSum) added(values ...int64) rowSum {
	for _, v := range values {
		if v != 0 {
			return s.num(values...)
		}
	}
	return s
}

// addedText is added for columns of text.
func (s rowSum) addedText(values ...state.Keywords) rowSum {
	if !slices.ContainsFunc(values, func(v state.Keywords) bool { return v != "" }) {
		return s
	}
	for _, v := range values {
		s = s.text(string(v))
	}
	return s
}

func (s rowSum) text(v string) rowSum { return append(s.num(int64(len(v))), v...) }

func (s rowSum) content(c state.Content) rowSum {
	s = append(append(s, c.Digest[:]...), c.Header[:]...)
	if c.Plain != (state.Digest{}) { // added by a later schema: see added
		s = append(s, c.Plain[:]...)
	}
	return s.num(c.Size, c.WireSize)
}

// value returns the checksum as it is stored.
func (s rowSum) value() int64 { return int64(crc32.Checksum(s, castagnoli)) }

// match compares the checksum of what was read with the stored one.
func (s rowSum) match(stored int64) error {
	if got := s.value(); got != stored {
		return fmt.Errorf("its checksum is %08x, %08x was stored: %w", got, stored, errDamaged)
	}
	return nil
}

// badRow says which row cannot be what was written.
func badRow(what string, err error) error {
	if !errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	return fmt.Errorf("row of %s: %w", what, err)
}

// unreadable tells a value of a kind that its column never had from a query that
// broke off. Package database/sql has no error of its own for it.
func unreadable(err error) error {
	if strings.HasPrefix(err.Error(), "sql: Scan error") {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// digestValue returns what is stored for a digest: NULL when it is not known.
func digestValue(d state.Digest) any {
	if d == (state.Digest{}) {
		return nil
	}
	return d[:]
}

// readDigest is the inverse of digestValue.
func readDigest(d *state.Digest, stored []byte) error {
	*d = state.Digest{}
	if stored != nil && copy(d[:], stored) != len(d) || len(stored) > len(d) {
		return fmt.Errorf("a digest has %d bytes, not %d: %w", len(stored), len(d), errDamaged)
	}
	return nil
}

// textValue returns what is stored for a text that may be missing.
func textValue(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// uidValue returns what is stored for a UID: NULL when there is none.
func uidValue(uid state.UID) any {
	if uid == 0 {
		return nil
	}
	return int64(uid)
}

// boolValue returns 0 or 1.
func boolValue(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
