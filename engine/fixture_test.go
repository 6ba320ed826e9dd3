package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// fixture is an account in a simulated world.
type fixture struct {
	t      *testing.T
	world  *sim.World
	server *sim.Server
	tree   *sim.Tree
	store  *sim.Store
	waited time.Duration
	opts   func(*engine.Options)
	// noExpunge is true for a server without UIDPLUS.
	noExpunge bool

	// interruptAt is the step of each run at which interruptWith happens, 0 for
	// never; interrupted is told where.
	interruptAt   int
	interruptWith error
	interrupted   func(sim.Step)
}

// start is the time in the simulated world.
const start = 1_790_000_000

func newFixture(t *testing.T, o sim.ServerOptions) *fixture {
	t.Helper()
	w := sim.NewWorld(start)
	o.World = w
	f := &fixture{
		t: t, world: w, noExpunge: o.NoUIDPlus,
		server: sim.NewServer(o), tree: sim.NewTree(sim.TreeOptions{World: w}), store: sim.NewStore(w),
	}
	f.server.CreateMailbox("Trash", state.RoleTrash)
	f.server.CreateMailbox("Archive", state.RoleArchive)
	return f
}

func (f *fixture) engine() *engine.Engine {
	o := engine.Options{
		Account: "test", Connect: f.server.Connect, Connections: 2,
		Local: f.tree, Store: f.store, Limits: plan.DefaultLimits(),
		Wanted: func(_ string, _ rune, role state.Role) bool { return !role.Virtual() },
		Now:    func() time.Time { return time.Unix(f.world.Now(), 0) },
		Wait: func(_ context.Context, d time.Duration) error {
			f.waited += d
			return nil
		},
	}
	if f.opts != nil {
		f.opts(&o)
	}
	return engine.New(o)
}

// reconnect puts something between the engine and the server.
func (f *fixture) reconnect(between func(engine.Remote) engine.Remote) {
	f.opts = func(o *engine.Options) {
		connect := o.Connect
		o.Connect = func(ctx context.Context) (engine.Remote, error) {
			r, err := connect(ctx)
			if err != nil {
				return nil, err
			}
			return between(r), nil
		}
	}
}

// known is what the store knows of a mailbox.
func (f *fixture) known(name string) state.Mailbox {
	f.t.Helper()
	known, err := f.store.Mailboxes(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(known, func(m state.Mailbox) bool { return m.Name == name })
	if i < 0 {
		f.t.Fatalf("mailbox %s is not known", name)
	}
	return known[i]
}

// run syncs once and returns what happened; time passes before it.
func (f *fixture) run() (engine.Report, error) {
	f.world.Advance(10)
	e := f.engine()
	defer e.Close()
	return e.Sync(f.t.Context())
}

// interrupt runs once, with an interruption at the chosen step.
func (f *fixture) interrupt() {
	n := 0
	f.world.SetFault(func(s sim.Step) error {
		if n++; n != f.interruptAt {
			return nil
		}
		f.interrupted(s)
		return f.interruptWith
	})
	// Whatever it says, the next run has to clear up.
	_, _ = f.run()
	f.world.SetFault(nil)
	f.world.Restart()
}

// sync runs once and expects success. With an interruption chosen, it first
// runs with it.
func (f *fixture) sync() engine.Report {
	f.t.Helper()
	if f.interruptAt > 0 {
		f.interrupt()
	}
	report, err := f.run()
	if err != nil {
		f.t.Fatalf("sync: %v", err)
	}
	return report
}

// clean syncs once and expects that there was nothing to complain about.
func (f *fixture) clean() engine.Report {
	f.t.Helper()
	report := f.sync()
	for _, p := range report.Problems {
		f.t.Errorf("unexpected problem: %+v", p)
	}
	for _, h := range report.Holds {
		f.t.Errorf("unexpected hold: %+v", h)
	}
	return report
}

// body makes a message that is told from others by its token.
func body(token string) []byte {
	return fmt.Appendf(nil, "Message-ID: <%s@test>\r\nSubject: %s\r\n\r\nText of %s.\r\n", token, token, token)
}

func token(data []byte) string {
	_, rest, _ := strings.Cut(string(data), "Subject: ")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

// deliver adds messages to a mailbox on the server, as a delivery would.
func (f *fixture) deliver(mailbox string, tokens ...string) {
	for i, token := range tokens {
		f.server.Append(mailbox, sim.Message{Date: start - 1000 + int64(i), Body: body(token)})
	}
}

// put adds a file to a folder, as a mail reader would.
func (f *fixture) put(folder, letters, token string) state.Key {
	data := strings.ReplaceAll(string(body(token)), "\r\n", "\n")
	return f.tree.PutFile(folder, sim.File{Letters: letters, Data: []byte(data), Date: start - 500})
}

// key returns the file of a token in a folder.
func (f *fixture) key(folder, want string) state.Key {
	f.t.Helper()
	for _, file := range f.tree.Files(folder) {
		if token(file.Data) == want {
			return file.Key
		}
	}
	f.t.Fatalf("folder %s holds no %s", folder, want)
	return ""
}

func (f *fixture) uid(mailbox, want string) state.UID {
	f.t.Helper()
	for _, m := range f.server.Messages(mailbox) {
		if token(m.Body) == want {
			return m.UID
		}
	}
	f.t.Fatalf("mailbox %s holds no %s", mailbox, want)
	return 0
}

// remote returns the server's mail as "mailbox/token:flags[keywords]", sorted. Where the
// server cannot expunge single messages, those marked deleted count as gone.
func (f *fixture) remote() []string {
	var list []string
	for _, name := range f.server.Mailboxes() {
		for _, m := range f.server.Messages(name) {
			if f.noExpunge && m.Flags&state.Trashed != 0 {
				continue
			}
			list = append(list, fmt.Sprintf("%s/%s:%s", name, token(m.Body), m.Flags)+bracketed(m.Keywords))
		}
	}
	slices.Sort(list)
	return list
}

// local returns the tree's mail in the same form.
func (f *fixture) local() []string { return f.files(f.keywords) }

// files returns every file of the tree, with the keywords that are said of it.
func (f *fixture) files(keywords func(path string, file sim.File) state.Keywords) []string {
	var list []string
	for _, path := range f.tree.Paths() {
		for _, file := range f.tree.Files(path) {
			list = append(list, fmt.Sprintf("%s/%s:%s", path, token(file.Data), state.ParseFlags(file.Letters))+bracketed(keywords(path, file)))
		}
	}
	slices.Sort(list)
	return list
}

// bracketed shows keywords, if there are any.
func bracketed(k state.Keywords) string {
	if k == "" {
		return ""
	}
	return fmt.Sprint("[", k, "]")
}

// keywords returns those of a file: of its letters, or of its record as long as the
// file cannot have letters, because it is new.
func (f *fixture) keywords(path string, file sim.File) state.Keywords {
	if !file.New {
		return f.tree.KeywordsOf(file)
	}
	records, err := f.store.Records(f.t.Context(), path)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range records {
		if r.Key == file.Key {
			return r.AllKeywords()
		}
	}
	return ""
}

// expect checks that both sides hold exactly this mail, and that another run
// finds nothing to do and changes nothing.
func (f *fixture) expect(want ...string) {
	f.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, f.remote()); diff != "" {
		f.t.Errorf("on the server (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, f.local()); diff != "" {
		f.t.Errorf("in the tree (-want +got):\n%s", diff)
	}
	f.idle()
}

// idle checks that a run changes nothing on either side.
func (f *fixture) idle() {
	f.t.Helper()
	commands, changes := len(f.server.Commands()), len(f.tree.Changes())
	f.sync()
	if f.interruptAt > 0 {
		return // the interrupted run may have left something to do
	}
	if more := f.server.Commands()[commands:]; len(more) > 0 {
		f.t.Errorf("a run with nothing to do sent %q", more)
	}
	if more := f.tree.Changes()[changes:]; len(more) > 0 {
		f.t.Errorf("a run with nothing to do changed the tree: %q", more)
	}
}
