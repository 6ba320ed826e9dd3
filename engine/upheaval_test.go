package engine_test

import (
	"slices"
	"strings"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// upheaval is what happened to a whole side of a soak.
type upheaval struct {
	server *sim.Backup
	store  *sim.StoreBackup
	// fresh are the UIDs from which on a mailbox that was set back gives them
	// again, until a run has seen it. Only the messages under the highest known
	// UIDs show that it was.
	fresh map[string]state.UID
	// putBack is true when the state was put back.
	putBack bool
}

// tells reports whether a message may go without taking the only sign along that
// the server was set back.
func (u *upheaval) tells(mailbox string, uid state.UID) bool {
	return u.fresh[mailbox] == 0 || uid < u.fresh[mailbox]
}

// noticed is called after a run that saw everything.
func (u *upheaval) noticed(kind int) {
	if kind > 3 {
		clear(u.fresh)
	}
}

// upset sometimes lets something happen to a whole side: from 6 on to the state.
func (s *soak) upset(what int) {
	box := s.box()
	switch what {
	case 0:
		s.note("renumber %s", box)
		s.server.ResetUIDValidity(box)
	case 1:
		if s.upheaval.fresh[box] != 0 || !*soakHard {
			return
		}
		s.note("other UIDs in %s", box)
		for _, m := range s.server.Messages(box) {
			s.server.Move(box, m.UID, box)
		}
	case 2, 3:
		s.note("back the server up")
		backup := s.server.Backup()
		s.upheaval.server = &backup
	case 4, 5:
		if s.upheaval.server != nil && *soakHard {
			s.restoreServer()
		}
	case 6:
		s.note("back the state up")
		backup := s.store.Backup()
		s.upheaval.store = &backup
	case 7:
		if s.upheaval.store != nil {
			s.note("put the state back")
			s.store.Restore(*s.upheaval.store)
			s.upheaval.putBack = true
			s.halfMoved()
		}
	case 8:
		s.note("doubt the state")
		s.store.Doubt()
		s.halfMoved()
	}
}

// halfMoved notes the messages that a server without MOVE shows twice, because a run
// was interrupted between the copy and the removal. While the base is in doubt nobody
// can tell that they are not two.
func (s *soak) halfMoved() {
	for token, n := range tally(s.remote()) {
		if f := s.messages[token]; n > f.born+f.apart {
			s.note("%s is on the server %d times", token, n)
			f.apart = n - f.born
		}
	}
}

// restoreServer sets the server back. What only it had is nowhere any more.
func (s *soak) restoreServer() {
	s.note("set the server back")
	before := tally(s.remote())
	s.server.Restore(*s.upheaval.server)
	s.server.DropConnections() // it was down meanwhile
	after, here := tally(s.remote()), tally(s.localPlain())
	for token, n := range before {
		if token == twin {
			here[token] = 0 // another one of them may turn up and be taken for it
		}
		s.messages[token].unseen += max(0, n-max(after[token], here[token]))
	}
	for _, box := range s.server.Mailboxes() {
		s.upheaval.fresh[box] = s.server.Cursor(box).UIDNext
	}
}

// twice reports whether the server shows a message twice, because a run was interrupted
// between the copy and the removal of a move without MOVE. When its file is moved once
// more before the next run, nobody can tell which of the two is the copy.
func (s *soak) twice(token string) bool {
	f := s.messages[token]
	return tally(s.remote())[token] > f.born+f.apart
}

// announced reports whether a message is an upload that a killed run left unrecorded.
// Recovery looks for it where it was sent, and nowhere else: when another client moves
// it elsewhere before the next run, it is uploaded again.
func (s *soak) announced(data []byte) bool {
	intents, err := s.store.Intents(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.ContainsFunc(intents, func(i state.Intent) bool {
		return i.Kind == state.IntentUpload && i.Content.Digest == digest(token(data))
	})
}

// looked lets the next run take all mailboxes for ones that were looked at as a whole
// just now. That is needed only where the server was set back: otherwise it would hide
// that something was missed.
func (s *soak) looked() {
	if *soakHard {
		return
	}
	mailboxes, err := s.store.Mailboxes(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range mailboxes {
		m.Sampled = s.world.Now() + 10
		if err := s.store.PutMailbox(s.t.Context(), m); err != nil {
			s.t.Fatal(err)
		}
	}
}

// foreigners notes the messages of which a state that was put back knows nothing,
// and which lie in different places on the two sides: nobody can tell that they
// were moved. Each will be in both places.
func (s *soak) foreigners() {
	if !s.upheaval.putBack {
		return
	}
	known := make(map[state.Digest]int)
	for _, box := range s.server.Mailboxes() {
		records, err := s.store.Records(s.t.Context(), box)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range records {
			known[r.Content.Digest]++
		}
	}
	here, there := places(s.local()), places(s.remote())
	files := tally(s.localPlain())
	for token, f := range s.messages {
		n := max(f.born, files[token]) - known[digest(token)] // one that was half moved has two files
		if at := here[token]; at != "" && there[token] != "" && at != there[token] && n > 0 {
			s.note("%s is in %s here, in %s on the server, and %d are unknown", token, at, there[token], n)
			f.apart += n
		}
	}
}

// again notes the lost messages of the hold that the server shows elsewhere. It was
// set back, which only the mailbox that lost them has shown, and a day later.
func (s *soak) again(h state.Hold) {
	records, err := s.store.Records(s.t.Context(), h.Mailbox)
	if err != nil {
		s.t.Fatal(err)
	}
	there := tally(s.remote())
	for _, r := range records {
		for token, f := range s.messages {
			if r.State == state.Lost && r.Content.Digest == digest(token) && there[token] > 0 {
				s.note("%s was lost in %s and is elsewhere", token, h.Mailbox)
				f.again++
			}
		}
	}
}

func digest(token string) state.Digest {
	d := state.NewDigester()
	_, _ = d.Write(body(token)) // it never fails
	return d.Sum().Digest
}

// places returns where the messages of a listing are, by token.
func places(list []string) map[string]string {
	at := make(map[string]string)
	for _, m := range list {
		box, rest, _ := strings.Cut(m, "/")
		token, _, _ := strings.Cut(rest, ":")
		at[token] += box + " "
	}
	return at
}

// tally counts the messages of a listing by token.
func tally(list []string) map[string]int {
	n := make(map[string]int)
	for _, m := range list {
		_, rest, _ := strings.Cut(m, "/")
		token, _, _ := strings.Cut(rest, ":")
		n[token]++
	}
	return n
}

// heldAsLost counts the messages in the hold area that were moved there because the
// server had lost them and the user agreed.
func (s *soak) heldAsLost() map[string]int {
	n := make(map[string]int)
	for _, h := range s.store.Held() {
		if file, there := s.tree.HeldFile(h.Path); there && h.Reason == "lost by the server" {
			n[token(file.Data)]++
		}
	}
	return n
}

// localPlain is local without keywords: it takes no step, so that a fault may call it.
func (s *soak) localPlain() []string {
	return s.files(func(string, sim.File) state.Keywords { return "" })
}
