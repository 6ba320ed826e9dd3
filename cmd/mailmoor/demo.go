package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/state"
)

const demoLong = `Shows what Mailmoor does, on mail of its own: it starts an IMAP server inside of
this process, makes a Maildir tree in a temporary directory, and then syncs,
changes both sides, syncs again, and makes a mistake on purpose. Every step is
done by the code that does it in earnest, and every claim is checked.

Your mail and your configuration are not touched, and no network is needed.
`

func (a *app) demoCommand() *cobra.Command {
	keep := ""
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what it does, on mail of its own",
		Long:  demoLong + exitHelp(exitInStep, exitFailed),
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), keep)
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "leave everything in this new directory")
	return cmd
}

// demonstration is a demo under way.
type demonstration struct {
	*app
	dir    string
	tree   demoTree
	other  *demoClient
	number int
}

// demo shows everything in order and cleans up.
func (a *app) demo(ctx context.Context, keep string) (err error) {
	dir, cleanUp, err := demoDirectory(keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	server, err := startDemoServer(demoMailboxes())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	other, err := server.connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.close()) }()
	d := &demonstration{app: newApp(a.ui.stdin, a.ui.stdout, a.ui.stderr), dir: dir, other: other}
	d.tree = demoTree{filepath.Join(dir, "Mail")}
	d.configFile, d.logLevel, d.logFormat = filepath.Join(dir, "config.toml"), a.logLevel, a.logFormat
	if err := os.WriteFile(d.configFile, []byte(demoConfig(dir, server.port())), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	for _, act := range []func(context.Context) error{
		d.begin, d.first, d.changes, d.second, d.accident, d.recovery,
	} {
		if err := act(ctx); err != nil {
			return because(ctx, err)
		}
	}
	d.farewell(keep)
	return nil
}

// demoDirectory returns where the demo lives, and what removes it.
func demoDirectory(keep string) (string, func() error, error) {
	if keep == "" {
		dir, err := os.MkdirTemp("", "mailmoor-demo-")
		if err != nil {
			return "", nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	dir, err := filepath.Abs(keep)
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if err != nil {
		return "", nil, &usageError{text: state.Textf("make the directory of --keep: %v", err), hint: "name a directory that does not exist yet"}
	}
	return dir, func() error { return nil }, nil
}

func demoConfig(dir string, port int) string {
	return fmt.Sprintf(`state_dir = %q
log_level = "warn"

[account.demo]
host = "127.0.0.1"
port = %d
tls = "none"        # only possible because the server is on this computer
user = %q
password = %q
maildir = %q
`, filepath.Join(dir, "state"), port, demoUser, demoPassword, filepath.Join(dir, "Mail"))
}

// title begins a step.
func (d *demonstration) title(text state.Text) {
	d.number++
	d.ui.result("")
	d.ui.result("%d. %s", d.number, text)
	d.ui.result("")
}

func (d *demonstration) say(format string, args ...any) {
	d.ui.result("   %s", state.Textf(format, args...))
}

// run shows a command and runs what it would run. want is the exit code that
// the story needs.
func (d *demonstration) run(command string, want exitCode, do func() error) error {
	d.ui.result("   $ mailmoor %s", command)
	if got := d.conclude(do()); got != want {
		return fmt.Errorf("mailmoor %s ended with exit code %d, not %d", command, got, want)
	}
	d.say("(exit code %d)", want)
	return nil
}

func (d *demonstration) syncNow(ctx context.Context, want exitCode) error {
	return d.run("sync", want, func() error { return d.sync(ctx, nil, syncFlags{ifLocked: string(lockFail)}) })
}

// equal checks that both sides are equal and says so.
func (d *demonstration) equal() error {
	n, err := d.tree.checkEqual(d.other)
	if err != nil {
		return err
	}
	d.say("Checked: %s on both sides, the same bytes and the same flags.", count(n, "message"))
	return nil
}

// begin fills the server.
func (d *demonstration) begin(context.Context) error {
	for _, s := range demoSamples() {
		m, err := readDemoMail(s.name, s.flags...)
		if err == nil {
			err = d.other.append(s.mailbox, m)
		}
		if err != nil {
			return err
		}
	}
	d.ui.result("An IMAP server now runs inside of this process, with %s in %s.",
		count(len(demoSamples()), "message"), count(len(demoMailboxes()), "mailbox|mailboxes"))
	d.ui.result("Everything else happens in %s.", d.dir)
	return nil
}

// first is the first sync, and what it made.
func (d *demonstration) first(ctx context.Context) error {
	d.title("The first sync brings everything to the disk")
	if err := d.syncNow(ctx, exitInStep); err != nil {
		return err
	}
	folders, err := d.tree.folders()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		files, err := d.tree.files(folder)
		if err != nil {
			return err
		}
		line := state.Textf("%3d  %s", len(files), folder)
		for _, f := range files[:min(1, len(files))] {
			line = state.Textf("%-22s %s", line, filepath.Join(filepath.Base(filepath.Dir(f.path)), filepath.Base(f.path)))
		}
		d.say("%s", line)
	}
	return d.equal()
}

// changes changes both sides.
func (d *demonstration) changes(context.Context) error {
	d.title("Both sides change at the same time")
	return errors.Join(d.changeServer(), d.changeFiles())
}

// changeServer does what another mail program might do.
func (d *demonstration) changeServer() error {
	d.say("On the server: one new message, one flagged, one moved to Archive/2024, one deleted.")
	m, err := readDemoMail("new")
	if err != nil {
		return err
	}
	if err := d.other.append("INBOX", m); err != nil {
		return err
	}
	uid := func(mailbox, words string) (imap.UIDSet, error) {
		messages, err := d.other.messages(mailbox)
		for _, m := range messages {
			if strings.Contains(m.body, words) {
				return imap.UIDSetNum(m.uid), err
			}
		}
		return nil, errors.Join(err, fmt.Errorf("there is no message with %q in mailbox %q", words, mailbox))
	}
	flagged, err := uid("INBOX", "aarhus@example.net")
	if err != nil {
		return err
	}
	moved, err := uid("Archive", "inv-118@example.com")
	if err != nil {
		return err
	}
	deleted, err := uid("Lists/Go", "go-4711@lists.example.org")
	if err != nil {
		return err
	}
	return errors.Join(
		d.other.change("INBOX", func(c *imapclient.Client) error {
			return c.Store(flagged, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged}}, nil).Close()
		}),
		d.other.change("Archive", func(c *imapclient.Client) error {
			_, err := c.Move(moved, "Archive/2024").Wait()
			return err
		}),
		d.other.change("Lists/Go", func(c *imapclient.Client) error {
			err := c.Store(deleted, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
			return errors.Join(err, c.UIDExpunge(deleted).Close())
		}),
	)
}

// changeFiles does with files what mail readers do.
func (d *demonstration) changeFiles() error {
	d.say("On the disk: one message read (a rename, as mutt does it), one sent message saved,")
	d.say("one moved to Archive (mv), one deleted (rm).")
	read, err := d.tree.find("INBOX", "v2@example.org")
	if err != nil {
		return err
	}
	moved, err := d.tree.find("INBOX", "ticket-77@example.com")
	if err != nil {
		return err
	}
	deleted, err := d.tree.find("INBOX", "Scan 0001")
	if err != nil {
		return err
	}
	sent, err := demoFiles.ReadFile("demo/sent.eml")
	if err != nil {
		return err
	}
	base, _, _ := strings.Cut(filepath.Base(read.path), ":2,")
	return errors.Join(
		os.Rename(read.path, filepath.Join(d.tree.root, "INBOX", "cur", base+":2,S")),
		os.WriteFile(filepath.Join(d.tree.root, "Sent", "cur", "1770564000.demo.host:2,S"), sent, 0o600),
		os.Rename(moved.path, filepath.Join(d.tree.root, "Archive", "cur", filepath.Base(moved.path))),
		os.Remove(deleted.path),
	)
}

// second is the sync that makes both sides equal again.
func (d *demonstration) second(ctx context.Context) error {
	d.title("The second sync carries all eight changes over")
	if err := d.syncNow(ctx, exitInStep); err != nil {
		return err
	}
	if err := d.equal(); err != nil {
		return err
	}
	if _, err := d.tree.find("Trash", "Scan 0001"); err != nil {
		return err
	}
	held, err := filepath.Glob(filepath.Join(d.dir, "state", "*", "hold", "*", "*", "*"))
	if err != nil || len(held) != 1 {
		return errors.Join(err, fmt.Errorf("there are %s in the hold area, not 1", count(len(held), "file")))
	}
	d.say("Nothing is lost: the message deleted on the disk lies in Trash, the one deleted on")
	d.say("the server in the hold area, %s.", filepath.Dir(held[0]))
	return nil
}

// accident empties a folder by mistake.
func (d *demonstration) accident(ctx context.Context) error {
	d.title("An accident: something empties the INBOX folder")
	before, err := d.other.messages("INBOX")
	if err != nil {
		return err
	}
	files, err := d.tree.files("INBOX")
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(f.path); err != nil {
			return fmt.Errorf("empty the folder: %w", err)
		}
	}
	if err := d.syncNow(ctx, exitHeld); err != nil {
		return err
	}
	after, err := d.other.messages("INBOX")
	if err != nil {
		return err
	}
	if !sameMessages(before, after) {
		return fmt.Errorf("%w: mail is missing from the server", errNotEqual)
	}
	d.say("Checked: the server still has all %s of INBOX. The removals wait:", count(len(after), "message"))
	return d.run("holds", exitInStep, func() error { return d.holds(ctx, nil) })
}

// recovery rejects the removals.
func (d *demonstration) recovery(ctx context.Context) error {
	d.title("That was not meant: reject it, and the mail comes back")
	cfg, err := d.load()
	if err != nil {
		return err
	}
	held := d.heldIn(ctx, cfg, cfg.Accounts[0])
	if len(held) != 1 {
		return fmt.Errorf("there are %s, not 1", count(len(held), "hold"))
	}
	name := holdName("demo", held[0].ID)
	if err := d.run("reject "+name, exitInStep, func() error { return d.decide(ctx, name, state.Rejected, false) }); err != nil {
		return err
	}
	if err := d.syncNow(ctx, exitInStep); err != nil {
		return err
	}
	return d.equal()
}

// farewell says how to go on.
func (d *demonstration) farewell(keep string) {
	d.ui.result("")
	d.ui.result("What to do next:")
	d.ui.result("")
	d.say("1. Write %s; four keys are enough (see README.md).", config.DefaultPath())
	d.say("2. mailmoor sync --dry-run   says what a run would do, and does nothing.")
	d.say("3. mailmoor sync             does it.")
	if keep != "" {
		d.ui.result("")
		d.ui.result("Mail, state and configuration of this demo are in %s.", d.dir)
	}
}
