package power

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mailmoor/test/scene"
)

// account is a stage whose tree and state lie on disks of their own. It stands
// at the point of its scene at which the program is to work.
type account struct {
	*scene.Stage
	scene scene.Scene
	disks []*disk
	// start and cut are images: those that each run starts from, and those that
	// the last cut left.
	start, cut []string
	// server brings back what the server had at the start.
	server *scene.Stage
	before *scene.Snapshot
}

// newAccount plays the scene up to that point. Tree and state have a disk each, or
// one together.
func newAccount(t testing.TB, fs fileSystem, s scene.Scene, together bool) *account {
	t.Helper()
	a := &account{Stage: scene.NewStage(t, s), scene: s}
	a.Disturbed = true
	dirs := []string{a.Root, a.States}
	if together {
		// The state stays where the program looks for it.
		dirs = []string{filepath.Dir(a.States)}
		a.Root = filepath.Join(dirs[0], "Mail")
	}
	images := t.TempDir()
	for i, dir := range dirs {
		image := filepath.Join(images, []string{"mail", "state"}[i])
		d, err := newDisk(fs, image, dir)
		must(t, err)
		a.disks = append(a.disks, d)
		a.start, a.cut = append(a.start, image+".start"), append(a.cut, image+".cut")
	}
	a.Route(a.Server.Host, a.Server.PlainPort, false)
	must(t, a.mount())
	t.Cleanup(a.detach)
	s.Begin(a.Stage)
	must(t, a.unmount())
	for i, d := range a.disks {
		must(t, copyImage(d.image, a.start[i]))
	}
	// A stage that has neither tree nor state: only what the server has is
	// brought back by it, the rest by the images.
	server := *a.Stage
	nowhere := filepath.Join(images, "nowhere")
	server.Root, server.States = nowhere, nowhere
	a.server, a.before = &server, server.Snapshot()
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (a *account) mount() error {
	for _, d := range a.disks {
		if err := d.mount(); err != nil {
			return err
		}
	}
	return nil
}

func (a *account) unmount() error {
	var err error
	for _, d := range a.disks {
		err = errors.Join(err, d.unmount())
	}
	return err
}

// detach takes away what is still mounted.
func (a *account) detach() {
	for _, d := range a.disks {
		_ = unix.Unmount(d.dir, unix.MNT_DETACH)
	}
}

// outcome is what became of a run.
type outcome struct {
	calls []call
	// ended is true when the run came to its end before the moment.
	ended  bool
	output string
}

// restart brings everything back to where the scene begins.
func (a *account) restart() error {
	a.server.Restore(a.before)
	for i := range a.disks {
		if err := copyImage(a.start[i], a.cut[i]); err != nil {
			return err
		}
	}
	return nil
}

// insert mounts what the last cut left.
func (a *account) insert() error {
	for i, d := range a.disks {
		if err := os.Rename(a.cut[i], d.image); err != nil {
			return err
		}
	}
	return a.mount()
}

// interrupt runs the program and cuts the power. The disks are not mounted any
// more then; what the cut left is in a.cut. The calls for which lie is true are
// answered but not made.
func (a *account) interrupt(m moment, lie func(call) bool) (*outcome, error) {
	if err := a.insert(); err != nil {
		return nil, err
	}
	cmd := a.Command(a.Context(), "sync", "--quiet")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	w, err := startWatched(cmd)
	if err != nil {
		return nil, err
	}
	o, err := a.follow(w, m, lie)
	w.end()
	// The server does what it was asked to before it notices that nobody is
	// there any more.
	a.server.Quiesce()
	if err = errors.Join(err, a.unmount()); err != nil {
		return nil, err
	}
	o.output = output.String()
	return o, nil
}

// follow lets the program run until the moment has come, and cuts.
func (a *account) follow(w *watch, m moment, lie func(call) bool) (*outcome, error) {
	o := &outcome{}
	var deadline time.Time
	if m.sync == 0 && m.wait > 0 {
		deadline = time.Now().Add(m.wait)
	}
	for {
		c, err := w.next(deadline)
		if err != nil {
			return nil, err
		}
		if c == nil {
			return o, a.settle(w, o, m)
		}
		o.calls = append(o.calls, *c)
		struck, err := a.meet(w, c, m, len(o.calls), lie)
		c.close()
		if struck || err != nil {
			return o, err
		}
		if m.sync == len(o.calls) && !m.end {
			deadline = time.Now().Add(m.wait)
		}
	}
}

// settle cuts when the time has come, or the run has ended: that is a moment as
// well.
func (a *account) settle(w *watch, o *outcome, m moment) error {
	if w.over() {
		<-w.exited
		o.ended = true
		return a.strike(m)
	}
	return errors.Join(w.stop(), a.strike(m))
}

// meet makes the n-th call for the program, and cuts if this is the moment.
func (a *account) meet(w *watch, c *call, m moment, n int, lie func(call) bool) (struck bool, err error) {
	now := m.sync == n && !m.end && m.wait == 0
	if now && m.before {
		return true, errors.Join(w.stop(), a.strike(m))
	}
	var errno unix.Errno
	if !lie(*c) {
		errno = c.perform()
	}
	if now {
		return true, errors.Join(w.stop(), a.strike(m))
	}
	return false, w.answer(c, errno)
}

// strike copies the disks as they are at this instant.
func (a *account) strike(m moment) error {
	for i, p := range []push{m.mail, m.state} {
		if i < len(a.disks) {
			if err := p.by(a.disks[i]); err != nil {
				return fmt.Errorf("let the kernel write: %w", err)
			}
		}
	}
	return copyDisks(a.disks, a.cut)
}

// orderly says how many of the disks that the last cut left are in order even
// before their journal is replayed.
func (a *account) orderly() int {
	n := 0
	for i, d := range a.disks {
		if d.examine(a.cut[i]) == nil {
			n++
		}
	}
	return n
}

// recover mounts what the cut left, lets the program come to rest and checks what
// has become of the mail. At last the disks themselves must be in order.
func (a *account) recover(t testing.TB) {
	t.Helper()
	defer a.detach()
	must(t, a.insert())
	stage := *a.Stage
	stage.TB, stage.Server = t, a.Server.On(t)
	a.scene.Check(&stage)
	if t.Failed() {
		return
	}
	must(t, a.unmount())
	for _, d := range a.disks {
		if err := d.examine(d.image); err != nil {
			t.Errorf("the cut itself was not a clean one: %v", err)
		}
	}
}
