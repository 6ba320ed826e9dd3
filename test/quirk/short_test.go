package quirk_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/engine"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/quirk"
)

// TestShort: the server sends 5 bytes of a message and says that it has more. That was
// taken for the whole message. Where the server is right about the sizes of others the
// message is set aside, whether it comes with others or alone.
func TestShort(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprintf("alone %v", alone), func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			want := []string{"INBOX/a:", "INBOX/b:", "INBOX/c:", "INBOX/d:F", "INBOX/e:", "INBOX/f:", "Box/g:", "Box/h:"}
			mailbox, token := "INBOX", "c"
			if alone {
				a.clean()
				mailbox, token = "Box", "i"
				a.deliver(mailbox, token)
				want = append(want, "Box/i:")
			}
			uid := a.uid(mailbox, token)
			a.srv.Switch(quirk.Short(mailbox, uid, 5))
			a.reports(a.sync(), wantProblem{
				state.ScopeMessage, state.CauseOther, mailbox,
				[]string{fmt.Sprintf("UID %d", uid), "the server sends 5 bytes of a message that has", "the other messages are not affected"},
			})
			entry := mailbox + "/" + token + ":"
			a.both(without(slices.Clone(want), entry)...)
			a.srv.Switch()
			a.later(2 * time.Hour)
			a.settle()
			a.expect(want...)
		})
	}
}

// TestShortInHoldArea: a message that is removed for good goes to the hold area first.
// One that the server does not send whole is not removed.
func TestShortInHoldArea(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.options = func(o *engine.Options) { o.Expunge = true }
	a.drop("INBOX", "b")
	a.srv.Switch(quirk.Short("INBOX", a.uid("INBOX", "b"), 5))
	a.sync()
	if !slices.Contains(a.remote(), "INBOX/b:") {
		t.Errorf("b was removed, although only a part of it could be kept: %q", a.remote())
	}
	a.srv.Switch()
	a.final = true
	a.settle()
	if slices.Contains(a.remote(), "INBOX/b:") || !a.held()["b"] {
		t.Errorf("b is still there, or not in the hold area: %q", a.remote())
	}
}

// TestShortUnknown: the server is not known to be right about sizes. The message is taken,
// with a warning that names it.
func TestShortUnknown(t *testing.T) {
	t.Parallel()
	for name, quirks := range map[string][]quirk.Quirk{
		"nothing to compare with": nil,
		"wrong about others":      {quirk.Size("too large by 17", "gateways", func(size int) string { return fmt.Sprint(size + 17) })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, quirk.Options{})
			a.deliver("Archive", "only")
			if quirks != nil {
				a.deliver("Archive", "b", "c", "d", "e")
			}
			a.srv.Switch(append(quirks, quirk.Short("Archive", a.uid("Archive", "only"), 5))...)
			var log bytes.Buffer
			a.options = func(o *engine.Options) {
				o.Connections = 1
				o.Connect = func(ctx context.Context) (engine.Remote, error) {
					cfg := wire.Config{
						Host: a.srv.Host, Port: a.srv.Port, Roots: a.srv.Roots, User: quirk.User,
						Secret: func(context.Context) (string, error) { return quirk.Password, nil },
					}
					return remote.Dial(ctx, cfg, remote.Options{Log: zerolog.New(&log).Level(zerolog.WarnLevel)})
				}
			}
			report, err := a.run()
			if err != nil {
				t.Fatal(err)
			}
			a.noComplaint(report)
			if lines := strings.Count(log.String(), "another size than it says"); lines != 1 || !strings.Contains(log.String(), `"mailbox":"Archive","message":"the server sends UID 1 `) {
				t.Errorf("the log says\n%s", log.String())
			}
		})
	}
}
