package main

import (
	"bytes"
	"errors"
	"io"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/state"
)

// app is what all commands share.
type app struct {
	ui      *ui
	prompts *prompter
	// hook is called after each durable effect; nil in normal life.
	hook func(point string)
	now  func() time.Time

	// The global flags.
	configFile string
	json       bool
	logLevel   string
	logFormat  string
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	u := newUI(stdin, stdout, stderr)
	return &app{ui: u, prompts: &prompter{ui: u}, hook: crashHook(), now: time.Now}
}

const rootLong = `Mailmoor keeps IMAP accounts and local Maildir trees in step, both ways, and
holds removals that look like an accident until you have approved them.

Begin with one of these:
  mailmoor demo             shows what it does, on mail of its own
  mailmoor sync --dry-run   says what a run would do, and does nothing
  mailmoor sync             one run
`

// rootCommand returns the command line.
func (a *app) rootCommand() *cobra.Command {
	showVersion := false
	root := &cobra.Command{
		Use:           "mailmoor",
		Short:         "Keep IMAP accounts and Maildir trees in step",
		Long:          rootLong,
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return unknownCommand(cmd, args[0])
			case showVersion:
				return a.showVersion()
			}
			return cmd.Help()
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "configuration file (default "+config.DefaultPath()+")")
	flags.BoolVar(&a.json, "json", false, "print the result as one JSON document")
	flags.StringVar(&a.logLevel, "log-level", "", "trace, debug, info, warn or error (default: log_level of the configuration)")
	flags.StringVar(&a.logFormat, "log-format", "console", "console or json")
	root.Flags().BoolVarP(&showVersion, "version", "V", false, "print the version")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{text: state.TextOf(err), hint: state.Textf("see %s --help", cmd.CommandPath())}
	})
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		out := cmd.OutOrStdout()
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		a.ui.help(out, text.String())
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(
		a.syncCommand(), a.statusCommand(), a.holdsCommand(), a.approveCommand(), a.rejectCommand(),
		a.doctorCommand(), a.demoCommand(), a.versionCommand(), a.completionCommand(), jsonTopic(), configTopic(),
	)
	return root
}

// helpCommand is like cobra's own, but that it fails for what does not exist.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range cmd.Root().Commands() {
				if len(args) == 0 && (c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand()) {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[len(args)-max(1, len(rest))])
			}
			return about.Help()
		},
	}
}

// unknownCommand suggests what may be meant.
func unknownCommand(root *cobra.Command, name string) error {
	hint := state.Text("see mailmoor --help")
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = state.Textf("did you mean %s?", either(near))
	}
	return &usageError{text: state.Textf("there is no command %q", name), hint: hint}
}

// arguments wraps cobra's checks of the number of arguments, so that they count
// as errors of usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{text: state.TextOf(err), hint: state.Textf("usage: %s", state.Foreign(cmd.UseLine()))}
		}
		return nil
	}
}

// conclude says what is still to be said of the error that ended a command, and
// returns the exit code.
func (a *app) conclude(err error) exitCode {
	if e := new(exitStatus); err != nil && !errors.As(err, &e) {
		a.ui.failure("", err)
	}
	return exitOf(err)
}

// load reads the configuration.
func (a *app) load() (config.Config, error) {
	return config.Load(a.configFile)
}

// logger returns the log of the run. level is that of the configuration; the
// flag wins.
func (a *app) logger(level string) (zerolog.Logger, error) {
	if a.logLevel != "" {
		level = a.logLevel
	}
	parsed, err := zerolog.ParseLevel(level)
	if err != nil || parsed < zerolog.TraceLevel || parsed > zerolog.ErrorLevel {
		return zerolog.Nop(), &usageError{
			text: state.Textf("--log-level %q does not exist", level), hint: "use trace, debug, info, warn or error",
		}
	}
	var out io.Writer
	switch a.logFormat {
	case "json":
		out = jsonWriter{a.ui}
	case "console":
		out = logWriter{a.ui, a.now}
	default:
		return zerolog.Nop(), &usageError{
			text: state.Textf("--log-format %q does not exist", a.logFormat), hint: "use console or json",
		}
	}
	return zerolog.New(out).Level(parsed).With().Timestamp().Logger(), nil
}

// versionText returns the version: the linker's, or what the build recorded.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
