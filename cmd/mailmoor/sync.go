package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/state/store"
)

const syncLong = `One run: brings every account, or those that are named, in step with its
Maildir tree. ACCOUNT/MAILBOX narrows the run to a mailbox, with / between its
levels; all other mailboxes are left alone.

A run repeats until both sides are equal, at most three times. Accounts are
worked on side by side, and none stops another.

A message that could not be transferred waits an hour before it is tried again,
then two, and so on up to a week; mailmoor status says until when. A login that
the server refused waits, too, where no terminal is: 15 minutes, up to 6 hours,
lest the provider lock the account. --retry tries everything now that waits so.

With --dry-run nothing changes, neither mail nor the program's own state, and no
lock is taken: it can look while a run is at work, and keeps none from starting.
Removals, moves and conflicts are shown singly, transfers as counts with the
newest 20 of each mailbox; --dry-run=full also asks the server for the sizes, and
shows date, size, sender and subject of those 20.
`

// syncFlags are the flags of sync.
type syncFlags struct {
	dryRun   dryRun
	quiet    bool
	retry    bool
	verbose  bool
	ifLocked string
	timeout  time.Duration
	profiles profiles
}

func (a *app) syncCommand() *cobra.Command {
	var f syncFlags
	cmd := &cobra.Command{
		Use:               "sync [ACCOUNT[/MAILBOX]...]",
		Short:             "Bring both sides in step, once",
		Long:              syncLong + exitHelp(allExits()...),
		ValidArgsFunction: a.completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.profiled(f.profiles, func() error { return a.sync(cmd.Context(), args, f) })
		},
	}
	flags := cmd.Flags()
	flags.VarP(&f.dryRun, "dry-run", "n", "say what would be done and change nothing; =full with the headers of messages")
	flags.Lookup("dry-run").NoOptDefVal = string(dryRunPlan)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing on success, and known problems once a day")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "name each message that is transferred, moved or removed")
	flags.BoolVar(&f.retry, "retry", false, "try again at once what waits for its next try")
	flags.StringVar(&f.ifLocked, "if-locked", string(lockFail), "when another process works on the account: fail, wait or skip")
	flags.DurationVar(&f.timeout, "timeout", 0, "give up after this time, such as 10m (default: never)")
	f.profiles.addFlags(cmd)
	return cmd
}

// dryRun is the value of --dry-run, which works like a switch and takes a value
// only with an equals sign.
type dryRun string

const (
	dryRunOff  dryRun = ""
	dryRunPlan dryRun = "true" // --dry-run alone
	dryRunFull dryRun = "full" // with what the messages are
)

// String returns the value. With Set and Type it makes dryRun a flag.
func (d *dryRun) String() string { return string(*d) }

// Set takes any value: check refuses those that mean nothing.
func (d *dryRun) Set(value string) error {
	*d = dryRun(value)
	return nil
}

// Type is that of a switch, so that the help shows it as one.
func (d *dryRun) Type() string { return "bool" }

// check reports flags that mean nothing.
func (f syncFlags) check() error {
	switch f.dryRun {
	case dryRunOff, dryRunPlan, dryRunFull:
	default:
		return &usageError{
			text: state.Textf("--dry-run=%s does not exist", f.dryRun), hint: "use --dry-run alone, or --dry-run=full",
		}
	}
	switch lockMode(f.ifLocked) {
	case lockFail, lockWait, lockSkip:
	default:
		return &usageError{text: state.Textf("--if-locked=%s does not exist", f.ifLocked), hint: "use fail, wait or skip"}
	}
	if f.quiet && f.verbose {
		return &usageError{text: "--quiet and --verbose exclude each other"}
	}
	if f.timeout < 0 {
		return &usageError{text: "--timeout must not be negative"}
	}
	return nil
}

// sync is the command: it works on the chosen accounts side by side.
func (a *app) sync(ctx context.Context, args []string, f syncFlags) error {
	report := runReport{Command: "sync", DryRun: f.dryRun != dryRunOff, Accounts: []accountReport{}}
	err := a.syncAccounts(ctx, args, f, &report)
	if err != nil {
		report.Exit, report.Error = exitOf(err), errorOf(err)
	}
	for _, r := range report.Accounts {
		report.Exit = worst(report.Exit, r.Exit)
	}
	if a.json {
		if jsonErr := a.ui.document(report); jsonErr != nil {
			return jsonErr
		}
	}
	if err != nil {
		return err
	}
	return ending(report.Exit)
}

func (a *app) syncAccounts(ctx context.Context, args []string, f syncFlags, report *runReport) error {
	if err := f.check(); err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	level := cfg.LogLevel
	if f.quiet {
		level = zerolog.LevelErrorValue
	}
	log, err := a.logger(level)
	if err != nil {
		return err
	}
	choices, err := choose(cfg, args)
	if err != nil {
		return err
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, &errTimeout{state.Textf("not done within %s (--timeout)", f.timeout)})
		defer cancel()
	}
	s := &syncing{app: a, stateDir: cfg.StateDir, flags: f, log: log, progress: newProgress(a.ui, log, f.quiet)}
	defer s.progress.watch()()
	report.Accounts = make([]accountReport, len(choices))
	var group sync.WaitGroup
	for i, c := range choices {
		group.Go(func() { report.Accounts[i] = s.account(ctx, c) })
	}
	group.Wait()
	return nil
}

// syncing is one run over some accounts.
type syncing struct {
	*app
	stateDir string
	flags    syncFlags
	log      zerolog.Logger
	progress *progress
}

// account works on one account and says what became of it.
func (s *syncing) account(ctx context.Context, c choice) accountReport {
	defer s.progress.done(c.account.Name)
	log := s.log.With().Str("account", c.account.Name).Logger()
	if s.flags.dryRun != dryRunOff {
		return s.dryRun(ctx, c, log)
	}
	started := s.now()
	o, err := s.open(ctx, s.stateDir, c.account, lockMode(s.flags.ifLocked), log)
	if err != nil {
		err = because(ctx, err)
		report := reportOf(c.account.Name, engine.Report{Duration: s.now().Sub(started)}, err)
		if state.CauseOf(err) == state.CauseLocked && lockMode(s.flags.ifLocked) == lockSkip {
			report.Skipped, report.Exit, report.Error = true, exitInStep, nil
		} else {
			s.ui.failure(c.account.Name, err)
		}
		s.conclude(report)
		return report
	}
	err = s.introduce(ctx, c.account, o)
	var result engine.Report
	if err == nil {
		err = s.barred(ctx, c.account, o)
	}
	if err == nil {
		result, err = s.cycle(ctx, c, o, log)
	}
	report := reportOf(c.account.Name, result, err)
	report.Only = c.only.asked()
	if !result.Quiet {
		// All rounds found something to do, and nobody is to blame for it.
		report.ended = worst(report.ended, exitTemporary)
		report.conclude()
	}
	if !s.flags.quiet {
		for _, text := range result.News {
			s.ui.message(c.account.Name, text)
		}
	}
	fresh, rememberErr := s.remember(ctx, o.store, report, err, started.Unix())
	report.weigh(fresh)
	s.tell(report, err, fresh, o.said)
	for _, after := range []error{s.noTrash(ctx, c.account, o, result), rememberErr, o.close()} {
		if after == nil {
			continue
		}
		report.Exit = worst(report.Exit, exitFailed)
		if hint := hintOf(after); hint == "" || hint != hintOf(err) { // a full disk is one thing to say
			s.ui.failure(c.account.Name, after)
		}
	}
	s.conclude(report)
	return report
}

// introduce says what is special about a run. A state that is lost, damaged or of
// another time is told even to cron: the run is a good one, and still somebody has to
// know.
func (s *syncing) introduce(ctx context.Context, account config.Account, o *opened) error {
	switch {
	case o.verdict == store.StateLost:
		s.ui.message(account.Name, "the state of this account is lost: both sides are paired again, and nothing is removed in this run", "")
	case o.verdict == store.New && !s.flags.quiet:
		s.ui.message(account.Name, state.Textf("first run into %s", account.Maildir), "")
	}
	return s.news(ctx, account, o)
}

// news says what the user has not been told of the state yet.
func (s *syncing) news(ctx context.Context, account config.Account, o *opened) error {
	news, err := o.store.News(ctx)
	if err != nil || len(news) == 0 {
		return err
	}
	for _, n := range news {
		s.ui.message(account.Name, n.Text, n.Hint)
	}
	return o.store.Told(ctx)
}

// cycle runs the engine.
func (s *syncing) cycle(ctx context.Context, c choice, o *opened, log zerolog.Logger) (engine.Report, error) {
	options, err := s.engineOptions(c.account, c.only, log)
	if err != nil {
		return engine.Report{}, err
	}
	options.Local, options.Store = o.tree, o.store
	if options.Interrupted, err = interrupted(ctx, o); err != nil {
		return engine.Report{}, err
	}
	options.Retry, options.Progress = s.flags.retry, s.progress.of(c.account.Name)
	if !s.flags.quiet {
		options.Tell = func(p state.Problem) {
			s.ui.message(c.account.Name, problemText(p.Mailbox, p.Subject, p.Text), p.Hint)
			o.said = append(o.said, p.Text)
		}
	}
	if s.flags.verbose {
		options.Deed = func(d engine.Deed) { s.ui.message(c.account.Name, deedText(d)) }
	}
	fitting := watchPatterns(c.account, &options)
	options.Connect = noting(o.store, options.Connect)
	e := engine.New(options)
	report, err := s.run(ctx, c.account, o, e)
	if closeErr := e.Close(); closeErr != nil {
		log.Debug().Err(closeErr).Msg("connections closed")
	}
	if err == nil {
		var waiting []state.Problem
		waiting, err = stillStuck(ctx, o.store, report.Problems)
		report.Problems = append(append(report.Problems, waiting...), fitting.idle()...)
	}
	if err == nil {
		err = s.expire(ctx, c.account, o, log)
	}
	err = because(ctx, err)
	if missing := c.only.missing(); err == nil && len(missing) > 0 {
		err = noSuchMailbox(c.account, missing[0])
	}
	return report, err
}

// interrupted reports whether the last run was killed, or ended by a signal, a time limit or
// the network: the next one may be, too.
func interrupted(ctx context.Context, o *opened) (bool, error) {
	last, found, err := o.store.LastRun(ctx)
	if err != nil {
		return false, err
	}
	code := exitCode(last.Exit)
	return o.lock.Abandoned || found && (code == exitTemporary || code >= signalled), nil
}

// run runs the engine once it is known whose mail the records are about.
func (s *syncing) run(ctx context.Context, account config.Account, o *opened, e *engine.Engine) (engine.Report, error) {
	err := arrive(ctx, o.store, e)
	if err == nil {
		err = s.news(ctx, account, o)
	}
	if err != nil {
		return engine.Report{}, err
	}
	return e.Sync(ctx)
}

// expire empties the hold area of what has rested there for hold_days. A crash
// between the two steps leaves names of files that are gone on the list; they
// leave it with the next day's.
func (s *syncing) expire(ctx context.Context, account config.Account, o *opened, log zerolog.Logger) error {
	now := s.now()
	before := time.Date(now.Year(), now.Month(), now.Day()-account.HoldDays, 0, 0, 0, 0, now.Location())
	n, err := o.tree.Expire(ctx, before)
	if n == 0 || err != nil {
		return err
	}
	log.Info().Msg(string(state.Textf("the hold area let go of %s after hold_days", count(n, "file"))))
	return o.store.ForgetHeld(ctx, before.Unix())
}

// noSuchMailbox is for a name of the command line that neither side knows.
func noSuchMailbox(account config.Account, name string) error {
	return &usageError{
		text: state.Textf("there is no mailbox %q", name),
		hint: state.Textf("names are written as on the server, with / between levels; mailboxes = %q selects what is kept in step",
			account.Mailboxes.Patterns()),
	}
}

// tell prints what went wrong and what is held. With --quiet only what is fresh.
func (s *syncing) tell(r accountReport, err error, fresh []state.Problem, said []state.Text) {
	notices, due := r.notices(), false
	if s.flags.quiet {
		notices = fresh
	}
	for _, p := range notices {
		if p.Text == awayNotice || p.Text == refusedNotice {
			due = true
			continue
		}
		if p.Weight == state.WeightRemark && !slices.Contains(fresh, p) || slices.Contains(said, p.Text) {
			continue // or it was said before the transfers began
		}
		s.ui.message(r.Account, problemText(p.Mailbox, p.Subject, p.Text), p.Hint)
	}
	if err != nil && (due || r.ended != exitTemporary && r.ended != exitLogin) {
		s.ui.failure(r.Account, err)
	}
}

// conclude prints the closing line of an account.
func (s *syncing) conclude(r accountReport) {
	if s.flags.quiet || s.json || r.Error != nil && r.Counts == (engine.Counts{}) {
		return
	}
	s.ui.result("%s: %s", r.title(), r.summary())
}
