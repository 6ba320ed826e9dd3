package wire

import (
	"fmt"
	"strings"
)

// Event is one protocol line.
type Event struct {
	// Sent is true for a line to the server.
	Sent bool
	// Line has no line end, at most about a thousand bytes, no secret and no
	// content of a message: literals, and strings in FETCH responses, stand in
	// it as "{n bytes}".
	Line string
}

// trace tells Config.Trace of a line, which is made only if somebody listens.
func (cfg *Config) trace(sent bool, line func() string) {
	if cfg.Trace != nil {
		cfg.Trace(Event{Sent: sent, Line: shownLine(line())})
	}
}

// shownLine makes a line without literals harmless.
func shownLine(line string) string {
	return cut(strings.ToValidUTF8(line, "?"), traceLineByteMax)
}

// shownResponse is a server's response as a trace may show it.
func shownResponse(text string, isFetch bool) string {
	var b strings.Builder
	for text != "" && b.Len() <= traceLineByteMax {
		n := strings.IndexAny(text, "\"{")
		if n < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:n])
		text = text[n:]
		length := valueLen(text, 1)
		switch {
		case length == 0:
			length = 1
			b.WriteByte(text[0])
		case text[0] == '{' || isFetch && !strings.HasSuffix(strings.ToUpper(b.String()), "INTERNALDATE "):
			fmt.Fprintf(&b, "{%d bytes}", len(unquoted(text[:length])))
		default:
			b.WriteString(text[:length])
		}
		text = text[length:]
	}
	return shownLine(b.String())
}
