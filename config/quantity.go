package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// unit is a unit of size or of time, in bytes, days or seconds.
type unit struct {
	names []string
	of    int64
}

var (
	sizeUnits = []unit{
		{[]string{"b", "byte", "bytes"}, 1},
		{[]string{"kb", "k"}, 1000},
		{[]string{"mb", "m"}, 1000 * 1000},
		{[]string{"gb", "g"}, 1000 * 1000 * 1000},
		{[]string{"kib"}, 1 << 10},
		{[]string{"mib"}, 1 << 20},
		{[]string{"gib"}, 1 << 30},
	}
	dayUnits = []unit{
		{[]string{"d", "day", "days"}, 1},
		{[]string{"w", "week", "weeks"}, 7},
		{[]string{"month", "months"}, 30},
		{[]string{"y", "year", "years"}, 365},
	}
	secondUnits = []unit{
		{[]string{"s", "second", "seconds"}, 1},
		{[]string{"min", "minute", "minutes"}, 60},
		{[]string{"h", "hour", "hours"}, 60 * 60},
	}
)

var (
	errSize = errors.New(`must be a size such as "20 MB" or "512 KiB"`)
	errDays = errors.New(`must be a time such as "90 days", "12 weeks" or "2 years"`)
	errWait = errors.New(`must be a time such as "30 seconds" or "5 minutes", at most "1 hour",`)
)

// daysMax bounds ages: a thousand years are as good as any.
const daysMax = 365 * 1000

// size returns a number of bytes, at least 1.
func (v value) size() (int64, error) { return v.quantity(sizeUnits, errSize, math.MaxInt64) }

// days returns a number of days, at least 1.
func (v value) days() (int, error) {
	n, err := v.quantity(dayUnits, errDays, daysMax)
	return int(n), err
}

// wait returns a time of at least a second and at most an hour.
func (v value) wait() (time.Duration, error) {
	n, err := v.quantity(secondUnits, errWait, int64(time.Hour/time.Second))
	return time.Duration(n) * time.Second, err
}

// quantity returns a whole number of units, as what one unit is.
func (v value) quantity(units []unit, wrong error, most int64) (int64, error) {
	s, err := v.text()
	if err != nil {
		return 0, err
	}
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end <= 0 {
		return 0, fmt.Errorf("%w, not %q", wrong, clip(s))
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	name := strings.ToLower(strings.TrimSpace(s[end:]))
	for _, u := range units {
		for _, known := range u.names {
			if name != known {
				continue
			}
			if err != nil || n < 1 || n > most/u.of {
				return 0, fmt.Errorf("%w within reason, not %q", wrong, clip(s))
			}
			return n * u.of, nil
		}
	}
	return 0, fmt.Errorf("%w, not %q", wrong, clip(s))
}
