package main

import (
	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

// deedText says what was done to a message.
func deedText(d engine.Deed) state.Text {
	what := state.Textf("message %s", d.Key)
	if d.UID != 0 {
		what = state.Textf("UID %d", d.UID)
		if d.Key != "" {
			what += state.Textf(" (%s)", d.Key)
		}
	}
	at := state.Textf("%s: ", d.Mailbox)
	switch d.Kind {
	case plan.Download:
		return at + "downloaded " + what
	case plan.Upload:
		return at + "uploaded " + what
	case plan.MoveLocal:
		return at + "moved " + what + state.Textf(" to the folder of %s", d.Dest)
	case plan.MoveRemote:
		return at + "moved " + what + state.Textf(" to %s on the server", d.Dest)
	case plan.RemoveLocal:
		return at + "removed " + what + " from the folder, into the hold area"
	case plan.RemoveRemote:
		if d.Dest == "" {
			return at + "removed " + what + " from the server for good"
		}
		return at + "removed " + what + state.Textf(" from the server, into %s", d.Dest)
	default:
		return at + state.Textf("%s %s", d.Kind, what)
	}
}
