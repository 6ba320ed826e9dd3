package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mailmoor/config"
	"mailmoor/state"
	"mailmoor/state/store"
)

// holdsReport is the JSON document of holds.
type holdsReport struct {
	Command string       `json:"command"`
	Holds   []holdReport `json:"holds"`
}

const holdsLong = `Lists removals that are held back because they look like an accident: a folder
that is suddenly empty, a mailbox that is gone. Nothing is removed until you
have decided:

  mailmoor approve ID   remove the messages on the other side too
  mailmoor reject ID    bring them back where they are missing

Until then everything else is kept in step. A mailbox that is gone as a whole on
one side is never removed on the other, and approve refuses it: remove what is
left by hand, and it is forgotten when it is gone from both sides.
`

func (a *app) holdsCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "holds [ACCOUNT...]",
		Short:             "List removals that wait for approval",
		Long:              holdsLong + exitHelp(exitInStep, exitFailed, exitUsage),
		ValidArgsFunction: a.completeAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.holds(cmd.Context(), args)
		},
	}
}

func (a *app) holds(ctx context.Context, args []string) error {
	cfg, accounts, err := a.loadNamed(args)
	if err != nil {
		return err
	}
	report := holdsReport{Command: "holds", Holds: []holdReport{}}
	code := exitInStep
	for _, account := range accounts {
		s, err := a.guest(ctx, cfg.StateDir, account, true)
		if err == nil && s != nil {
			var holds []holdReport
			holds, err = heldBy(ctx, account, s.Store)
			report.Holds = append(report.Holds, holds...)
			s.release()
		}
		if err != nil {
			a.ui.failure(account.Name, err)
			code = worst(code, exitOf(err))
		}
	}
	if a.json {
		if err := a.ui.document(report); err != nil {
			return err
		}
		return ending(code)
	}
	for _, h := range report.Holds {
		a.ui.result("%s", h.line())
		approve, reject := h.outcomes()
		if h.Whole {
			a.ui.result("  %s", approve)
		} else {
			a.ui.result("  mailmoor approve %s: %s", h.ID, approve)
		}
		a.ui.result("  mailmoor reject %s: %s", h.ID, reject)
	}
	if len(report.Holds) == 0 && code == exitInStep {
		a.ui.result("nothing is held")
	}
	return ending(code)
}

// heldBy returns the holds of the account, with what approving each of them would do.
func heldBy(ctx context.Context, account config.Account, s *store.Store) ([]holdReport, error) {
	holds, err := s.Holds(ctx)
	if err != nil {
		return nil, err
	}
	trash, err := s.Trash(ctx)
	if err != nil {
		return nil, err
	}
	reports := holdsOf(account.Name, holds)
	for i := range reports {
		reports[i].goes = goesTo(account, reports[i].Mailbox, trash)
	}
	return reports, nil
}

// goesTo says what becomes of messages of the mailbox that are deleted on the server.
func goesTo(account config.Account, mailbox, trash string) state.Text {
	switch {
	case account.Delete == config.DeleteExpunge:
		return "removed for good, as delete = \"expunge\" says"
	case trash == "":
		return "removed for good, as no mailbox was Trash in the last run"
	case trash == mailbox:
		return "removed for good, as all that is deleted there"
	}
	return state.Textf("into %s", trash)
}

// line says what is held.
func (h holdReport) line() state.Text {
	text := state.Textf("hold %s: %s: %s", h.ID, h.Mailbox, h.text())
	if h.Decision != "" {
		text += state.Textf(" (%s, takes effect in the next run)", h.Decision)
	}
	return text
}

// text says why the messages are held, and how many they are by now where the
// reason, which is that of the first day, does not say so any more: some may have
// come back, others may have joined.
func (h holdReport) text() state.Text {
	if h.Lost > 0 {
		text := count(h.Lost, "message") + " that the server lost when it was renumbered or restored; kept in the folder, not uploaded"
		if _, where, known := strings.Cut(string(h.Reason), "; "); known {
			text += "; " + state.Foreign(where)
		}
		return text
	}
	if h.Whole || h.Messages == 0 || slices.Contains(strings.Fields(string(h.Reason)), strconv.Itoa(h.Messages)) {
		return h.Reason
	}
	return state.Textf("%s; it is about %s now", h.Reason, count(h.Messages, "message"))
}

// outcomes says what approving and rejecting do. A whole mailbox cannot be
// approved: then the first says what to do instead.
func (h holdReport) outcomes() (approve, reject state.Text) {
	messages, are := count(h.Messages, "message"), "are"
	if h.Messages == 1 {
		are = "is"
	}
	switch {
	case h.Whole && h.Missing == state.Local.String():
		return byHand(h.Missing), "the folder is made again and filled from the server"
	case h.Whole:
		return byHand(h.Missing), "the mailbox is made again on the server and filled from the folder"
	case h.Missing == state.Local.String():
		return messages + " on the server: " + h.goes,
			state.Textf("%s %s downloaded again", messages, are)
	default:
		return messages + " in the folder: into the hold area",
			state.Textf("%s %s uploaded again, but for what is in another mailbox as well", messages, are)
	}
}

// byHand says how to let a whole mailbox go that is missing on one side.
func byHand(missing string) state.Text {
	if missing == state.Local.String() {
		return "to let it go, delete the mailbox on the server yourself: it is forgotten when it is gone from both sides"
	}
	return "to let it go, move the folder out of the tree yourself: it is forgotten when it is gone from both sides"
}
