package main

import (
	"time"

	"mailmoor/state"
)

// count is state.Count.
func count[N int | int64](n N, noun string) state.Text { return state.Count(n, noun) }

// bytesText returns a number of bytes for people.
func bytesText(n int64) state.Text {
	const unit = 1000
	if n < unit {
		return count(n, "byte")
	}
	value, units := float64(n)/unit, "kMGTPE"
	i := 0
	for value >= unit && i < len(units)-1 {
		value /= unit
		i++
	}
	return state.Textf("%.1f %sB", value, string(units[i]))
}

// durationText returns a duration for people.
func durationText(d time.Duration) state.Text {
	switch {
	case d < 10*time.Second:
		return state.Textf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return state.Textf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return state.Textf("%d min", int(d.Minutes()))
	}
	return state.Textf("%d h", int(d.Hours()))
}

// either lists names of which one is meant.
func either(names []string) state.Text {
	texts := make([]state.Text, 0, len(names))
	for _, name := range names {
		texts = append(texts, state.Textf("%s", name))
	}
	return state.Join(texts, " or ")
}
