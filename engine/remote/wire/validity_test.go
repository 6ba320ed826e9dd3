package wire

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestValiditiesStayApart: a UIDVALIDITY of more than 32 bits that was cut would hide a
// renumbering: numbers that differ in their upper bits only would be one.
func TestValiditiesStayApart(t *testing.T) {
	seen := make(map[string]string)
	check := func(number string) {
		t.Helper()
		got, ok := validity(number)
		if !ok || !isNumber(got, 32) {
			t.Fatalf("validity(%s) = %q, %v", number, got, ok)
		}
		if other, taken := seen[got]; taken && other != number {
			t.Errorf("%s and %s are one: %s", number, other, got)
		}
		seen[got] = number
	}
	for _, number := range []string{"1", "2147483647", "2147483648", "4294967295"} {
		check(number)
	}
	// The same low 32 bits in all, 0 among them, and milliseconds that follow each other.
	for high := range uint64(200) {
		check(strconv.FormatUint((high+1)<<32, 10))
		check(strconv.FormatUint((high+1)<<32|7, 10))
		check(strconv.FormatUint(1713632002544+high, 10))
	}
	check("18446744073709551616")
	check("100000000000000000000000000000000000000000000000000")
}

// TestValidityIsStable: what was stored in one run is found equal in the next.
func TestValidityIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		number := strconv.FormatUint(n, 10)
		got, ok := validity(number)
		padded, _ := validity("000" + number)
		switch {
		case !ok || !isNumber(got, 32):
			t.Fatalf("validity(%s) = %q, %v", number, got, ok)
		case n <= 1<<32-1 && got != number:
			t.Fatalf("%s became %s, although it fits", number, got)
		case n > 1<<32-1 && padded != got:
			t.Fatalf("%s is %s, with leading zeros %s", number, got, padded)
		}
	})
	for _, number := range []string{"", "-1", "+1", "1.5", "0x10", " 1", "1 ", "１"} {
		if got, ok := validity(number); ok {
			t.Errorf("validity(%q) = %s, although it is no number", number, got)
		}
	}
}
