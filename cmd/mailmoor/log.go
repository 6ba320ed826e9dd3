package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/state"
)

// logWriter writes the events of the log among the other messages: what is of interest in
// everyday life in their form, and what serves to find a fault with time and level.
type logWriter struct {
	ui  *ui
	now func() time.Time
}

// Write takes one event, as JSON.
func (w logWriter) Write(p []byte) (int, error) {
	e, err := readEvent(p)
	if err != nil {
		return 0, err
	}
	if level, err := zerolog.ParseLevel(e.level); err == nil && level < zerolog.InfoLevel {
		w.ui.print(w.ui.stderr, 4, state.Textf("%s %s: %s", w.now().Format(time.TimeOnly), e.level, e.text()))
		return len(p), nil
	}
	w.ui.message("", e.text())
	return len(p), nil
}

// jsonWriter writes the events of the log as they are.
type jsonWriter struct{ ui *ui }

// Write takes one event, which JSON keeps on one line.
func (w jsonWriter) Write(p []byte) (int, error) {
	w.ui.mu.Lock()
	defer w.ui.mu.Unlock()
	w.ui.clear()
	put(w.ui.stderr, string(p))
	return len(p), nil
}

// event is one event of the log. Its fields stand in the order in which they were added.
type event struct {
	level, account, mailbox, message string
	err                              state.Text
	fields                           []state.Text
}

var errEvent = errors.New("the event of the log is no JSON object")

func readEvent(data []byte) (event, error) {
	var e event
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return e, errEvent
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return e, err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return e, err
		}
		text, _ := value.(string)
		switch key {
		case zerolog.TimestampFieldName:
		case zerolog.LevelFieldName:
			e.level = text
		case zerolog.MessageFieldName:
			e.message = text
		case zerolog.ErrorFieldName:
			e.err = state.Foreign(text)
		case "account":
			e.account = text
		case "mailbox":
			e.mailbox = text
		default:
			e.fields = append(e.fields, state.Textf("%v %v", key, value))
		}
	}
	return e, nil
}

// text returns the event in words.
func (e event) text() state.Text {
	text := problemText(e.mailbox, "", state.Foreign(strings.TrimSpace(e.message)))
	if e.account != "" {
		text = state.Textf("%s: %s", e.account, text)
	}
	if e.err != "" {
		text += ": " + e.err
	}
	if len(e.fields) > 0 {
		text = state.Textf("%s (%s)", text, state.Join(e.fields, "; "))
	}
	return text
}
