package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// value is one value of the file with what is needed to understand it. Its
// methods return errors in the user's words, without the key.
type value struct {
	raw    any
	source source
}

// textBytesMax and listLenMax bound what one key may hold.
const (
	textBytesMax = 16 << 10
	listLenMax   = 1000
)

var (
	errEmpty    = errors.New("may not be empty")
	errControl  = errors.New("contains a control character")
	errTooLong  = fmt.Errorf("is longer than %d bytes", textBytesMax)
	errLongList = fmt.Errorf("has more than %d entries", listLenMax)
)

// kind names the type of a TOML value in words.
func kind(raw any) string {
	switch raw.(type) {
	case string:
		return "text"
	case int64:
		return "a number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

// text returns a text that is neither empty nor contains control characters.
func (v value) text() (string, error) {
	s, ok := v.raw.(string)
	switch {
	case !ok:
		return "", fmt.Errorf("must be text in quotes, not %s", kind(v.raw))
	case s == "":
		return "", errEmpty
	case len(s) > textBytesMax:
		return "", errTooLong
	case strings.ContainsFunc(s, isControl):
		return "", errControl
	}
	return s, nil
}

// isControl reports C0 and C1 control characters and DEL.
func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// number returns a whole number from low to high.
func (v value) number(low, high int) (int, error) {
	n, ok := v.raw.(int64)
	if !ok {
		return 0, fmt.Errorf("must be a number from %d to %d without quotes, not %s", low, high, kind(v.raw))
	}
	if n < int64(low) || n > int64(high) {
		return 0, fmt.Errorf("must be a number from %d to %d, not %d", low, high, n)
	}
	return int(n), nil
}

// list returns a list of texts that is not empty.
func (v value) list() ([]string, error) {
	raws, ok := v.raw.([]any)
	switch {
	case !ok:
		return nil, fmt.Errorf("must be a list of texts in [ ], not %s", kind(v.raw))
	case len(raws) == 0:
		return nil, errEmpty
	case len(raws) > listLenMax:
		return nil, errLongList
	}
	texts := make([]string, 0, len(raws))
	for i, raw := range raws {
		s, err := value{raw: raw}.text()
		if err != nil {
			return nil, fmt.Errorf("entry %d %w", i+1, err)
		}
		texts = append(texts, s)
	}
	return texts, nil
}

// oneOrList returns a list of texts, of which a single one may stand alone.
func (v value) oneOrList() ([]string, error) {
	if _, ok := v.raw.(string); ok {
		s, err := v.text()
		return []string{s}, err
	}
	if _, ok := v.raw.([]any); !ok {
		return nil, fmt.Errorf("must be text in quotes or a list of texts, not %s", kind(v.raw))
	}
	return v.list()
}

// choice returns the one of the allowed words, of which there are several, that
// the value is.
func choice[T ~string](v value, allowed ...T) (T, error) {
	words := make([]string, 0, len(allowed))
	for _, a := range allowed {
		words = append(words, fmt.Sprintf("%q", string(a)))
	}
	last := len(words) - 1
	want := strings.Join(words[:last], ", ") + " or " + words[last]
	s, ok := v.raw.(string)
	if !ok {
		return "", fmt.Errorf("must be %s, not %s", want, kind(v.raw))
	}
	if !slices.Contains(allowed, T(s)) {
		return "", fmt.Errorf("must be %s, not %q", want, clip(s))
	}
	return T(s), nil
}
