package config

import "strings"

// wordBytesMax bounds the words that are compared. No key is longer.
const wordBytesMax = 64

// nearest returns the candidate that the user most likely meant by word, or ""
// when none is close. Of several equally close ones the first wins.
func nearest(word string, candidates []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	if len(word) > wordBytesMax {
		return ""
	}
	// One mistake in three letters, but never a word of nothing but mistakes.
	best, limit := "", min(len(word)-1, len(word)/3+1)
	for _, c := range candidates {
		if len(c) > wordBytesMax {
			continue
		}
		if d := distance(word, strings.ToLower(c)); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// suggest turns a nearest word into the end of a sentence.
func suggest(word string) string {
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour that turns a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
