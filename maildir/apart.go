package maildir

import (
	"strings"

	"mailmoor/state"
)

// Levels that differ in case only need two directories on a disk that takes their
// names for one. One of them is written plainly. Each of the others is kept apart:
// all its letters are escaped but those in lower case, and if that changes nothing, the
// first letter that can be. So Work stays, and work becomes %77ork, WORK
// %57%4F%52%4B. What stands there as a letter is then in lower case, so that
// no two names kept apart become one by folding; and a plain name has no letter
// escaped, but for names of a Maildir's own directories, which get one more.
//
// On such a disk New is kept apart, too, for it would be the directory new of the Maildir in
// which it lies.
//
// The name is found again by undoing the escapes, as with all others: nothing but the
// directory's name is needed.

// marks are letters of a level that are to be escaped, by their first byte.
type marks map[int]bool

// spelled returns how a level is written, plainly or kept apart, and the characters in
// unfit escaped. A level without letters
// needs nothing for that, and is as write writes it.
func spelled(level string, apart bool, unfit string, write func(level string, marked marks) string) string {
	marked := marks{}
	for i := range len(level) {
		if strings.IndexByte(unfit, level[i]) >= 0 {
			marked[i] = true
		}
	}
	plain := write(level, marked)
	if !apart {
		return plain
	}
	for i, r := range level {
		if state.FoldRune(r) != r {
			marked[i] = true
		}
	}
	if written := write(level, marked); written != plain {
		return written
	}
	for i, r := range level {
		if state.HasCase(r) {
			marked[i] = true
			if written := write(level, marked); written != plain {
				return written
			}
		}
	}
	return plain
}
