package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mailmoor/state"
)

// Keywords returns what the letters a to z of a file's name stand for in the folder
// at this path.
func Keywords(folder, letters string) (state.Keywords, error) {
	letters = KeywordLetters(letters)
	if letters == "" {
		return "", nil
	}
	table, err := KeywordTable(folder)
	var names []string
	for _, letter := range letters {
		names = append(names, table[letter])
	}
	return state.NewKeywords(names...), err
}

// KeywordLetters returns the letters that stand for keywords, out of all that
// follow ":2," in a file's name.
func KeywordLetters(letters string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || 'z' < r {
			return -1
		}
		return r
	}, letters)
}

// KeywordTable reads the table dovecot-keywords of the folder at this path: what each
// letter stands for. The program's own code has no part in it, so that a mistake does
// not prove itself.
func KeywordTable(folder string) (map[rune]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "dovecot-keywords"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	table := make(map[rune]string)
	for line := range strings.Lines(string(text)) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("the table of folder %s: %w", folder, err)
		}
		table['a'+rune(n)] = name
	}
	return table, nil
}
