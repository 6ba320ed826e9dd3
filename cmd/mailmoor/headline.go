package main

import (
	"mime"
	"strings"
	"time"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

// fromWidth and subjectWidth are how many characters of the fields are shown.
const (
	fromWidth    = 28
	subjectWidth = 60
)

// transferReport is a transfer as JSON shows it.
type transferReport struct {
	Kind     string `json:"kind"`
	Mailbox  string `json:"mailbox"`
	Messages int    `json:"messages"`
	// Bytes are those of the Sized messages: others may be gone by now.
	Sized  int              `json:"sized"`
	Bytes  int64            `json:"bytes"`
	Newest []headlineReport `json:"newest"`
}

// headlineReport is a message as JSON shows it.
type headlineReport struct {
	UID     state.UID `json:"uid,omitempty"`
	Key     state.Key `json:"key,omitempty"`
	Date    int64     `json:"date"`
	Size    int64     `json:"size"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
}

func transfersOf(transfers []engine.Transfer) []transferReport {
	reports := make([]transferReport, 0, len(transfers))
	for _, t := range transfers {
		r := transferReport{
			Kind: t.Kind.String(), Mailbox: t.Mailbox, Messages: t.Messages, Sized: t.Sized, Bytes: t.Bytes,
			Newest: make([]headlineReport, 0, len(t.Newest)),
		}
		for _, h := range t.Newest {
			r.Newest = append(r.Newest, headlineReport{h.UID, h.Key, h.Date, h.Size, decoded(h.From), decoded(h.Subject)})
		}
		reports = append(reports, r)
	}
	return reports
}

// transferLines describes what would be transferred, with a line for each of the
// newest messages.
func transferLines(t engine.Transfer) []state.Text {
	what := state.Textf("%s %s", t.Kind, count(t.Messages, "message"))
	if t.Sized > 0 {
		what += state.Textf(", %s", bytesText(t.Bytes))
	}
	if unknown := t.Messages - t.Sized; unknown > 0 {
		what += state.Textf(" (the size of %d is not known)", unknown)
	}
	lines := []state.Text{state.Textf("%s: %s", t.Mailbox, what)}
	width := 0
	for _, h := range t.Newest {
		width = max(width, len(headlineName(h)))
	}
	for _, h := range t.Newest {
		lines = append(lines, state.Textf("  %-*s  %s  %9s  %-*s  %s", width, headlineName(h), dateText(h.Date), bytesText(h.Size),
			fromWidth, shortened(decoded(h.From), fromWidth), shortened(decoded(h.Subject), subjectWidth)))
	}
	if n := t.Messages - len(t.Newest); n > 0 && len(t.Newest) > 0 {
		order := state.Text("older")
		if t.Kind == plan.Download && t.Sized < t.Messages {
			order = "other" // those that nothing is known of may be newer
		}
		lines = append(lines, state.Textf("  and %d %s", n, order))
	}
	return lines
}

// headlineName is by what the message is found.
func headlineName(h engine.Headline) state.Text {
	if h.UID != 0 {
		return state.Textf("UID %d", h.UID)
	}
	return state.Textf("%s", h.Key)
}

// dateText returns a date for people, as wide as every other.
func dateText(unix int64) state.Text {
	const layout = "2006-01-02 15:04"
	if unix == 0 {
		return state.Textf("%-*s", len(layout), "no date")
	}
	return state.Foreign(time.Unix(unix, 0).Format(layout))
}

// decoded returns the value of a header field as its sender wrote it (RFC 2047).
// In a charset other than UTF-8, Latin 1 and ASCII it stays as it is.
func decoded(value string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(value)
	if err != nil {
		return value
	}
	return text
}

// shortened returns text that fits into width columns, with everything escaped that is
// not to be seen.
func shortened(text string, width int) state.Text {
	var b strings.Builder
	shown := 0
	for i, r := range text {
		size := len(string(r))
		if r == '\uFFFD' && !strings.HasPrefix(text[i:], "\uFFFD") {
			size = 1 // a byte that is no UTF-8
		}
		piece := state.Printable(text[i : i+size])
		n := columnsIn(piece)
		if shown+n > width-1 && (shown+n > width || i+size < len(text)) {
			return state.Foreign(b.String() + "…")
		}
		b.WriteString(piece)
		shown += n
	}
	return state.Foreign(b.String())
}
