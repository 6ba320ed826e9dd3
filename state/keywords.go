package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// keywordBytesMax bounds the name of a keyword. Dovecot takes 50 bytes.
	keywordBytesMax = 100
	// keywordsBytesMax bounds all keywords of one message.
	keywordsBytesMax = 16 << 10
)

// Keywords is a set of IMAP keywords: their names in the order of their lower-case
// forms, with one space in between. Names that differ in case only are one keyword,
// which keeps the spelling that came first; so compare sets with Equal. The zero
// value is the empty set. RFC 9051, section 2.3.2.
type Keywords string

// IsKeyword reports whether a keyword may have the name: an atom that is no system
// flag and does not mean one of the six flags, which $Forwarded does.
func IsKeyword(name string) bool {
	if name == "" || len(name) > keywordBytesMax || strings.EqualFold(name, "$Forwarded") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return true
}

// NewKeywords returns the set of those names that keywords may have, as far as
// there is room: 16 KiB for a message.
func NewKeywords(names ...string) Keywords {
	kept := slices.Clone(names)
	kept = slices.DeleteFunc(kept, func(name string) bool { return !IsKeyword(name) })
	return joined(kept)
}

// joined makes a set of names that are keywords.
func joined(names []string) Keywords {
	slices.SortStableFunc(names, compareFold)
	names = slices.CompactFunc(names, func(a, b string) bool { return compareFold(a, b) == 0 })
	bytes := 0
	for i, name := range names {
		if bytes += len(name) + 1; bytes > keywordsBytesMax {
			names = names[:i]
			break
		}
	}
	return Keywords(strings.Join(names, " "))
}

func compareFold(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }

// Names returns the names in order.
func (k Keywords) Names() []string {
	if k == "" {
		return nil
	}
	return strings.Split(string(k), " ")
}

// Has reports whether the keyword is in the set.
func (k Keywords) Has(name string) bool {
	return slices.ContainsFunc(k.Names(), func(n string) bool { return strings.EqualFold(n, name) })
}

// Equal reports whether the sets hold the same keywords, whatever their spelling.
func (k Keywords) Equal(other Keywords) bool {
	return k == other || strings.EqualFold(string(k), string(other))
}

// Union returns the keywords of both; of two spellings that of k stays.
func (k Keywords) Union(other Keywords) Keywords {
	if other == "" || k == other {
		return k
	}
	if k == "" {
		return other
	}
	return joined(append(k.Names(), other.Names()...))
}

// Without returns the keywords of k that are not in other.
func (k Keywords) Without(other Keywords) Keywords {
	if k == "" || other == "" {
		return k
	}
	return joined(slices.DeleteFunc(k.Names(), other.Has))
}

// Within returns the keywords of k that are in other, too, as k spells them.
func (k Keywords) Within(other Keywords) Keywords {
	return joined(slices.DeleteFunc(k.Names(), func(name string) bool { return !other.Has(name) }))
}

// Check reports what is not the canonical form of a set.
func (k Keywords) Check() error {
	if k == "" {
		return nil
	}
	if len(k) > keywordsBytesMax {
		return fmt.Errorf("keywords of %d bytes, at most %d are possible", len(k), keywordsBytesMax)
	}
	for _, name := range k.Names() {
		if !IsKeyword(name) {
			return fmt.Errorf("%q is not a keyword", name)
		}
	}
	if NewKeywords(k.Names()...) != k {
		return errors.New("the keywords are not in order")
	}
	return nil
}

// MergeKeywords merges two sides that have both started from base, as MergeFlags
// does: for each keyword the side that changed it wins.
func MergeKeywords(base, local, remote Keywords) Keywords {
	if local == remote {
		return local
	}
	either := local.Without(remote).Union(remote.Without(local))
	return local.Without(either).Union(either.Without(base))
}

// KeywordRule says which keywords a mailbox stores for good. The zero value is that
// of a mailbox that stores none. RFC 9051, section 7.1, PERMANENTFLAGS.
type KeywordRule struct {
	// Any is true when clients may make up keywords.
	Any bool
	// Listed are those that it stores in any case.
	Listed Keywords
}

// Of returns those of the keywords that the mailbox stores.
func (r KeywordRule) Of(k Keywords) Keywords {
	if r.Any {
		return k
	}
	return k.Within(r.Listed)
}
