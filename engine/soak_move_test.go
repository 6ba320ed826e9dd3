package engine_test

import (
	"slices"

	"mailmoor/test/sim"
)

// half is a move of a client that has copied a message and not removed it yet.
type half struct{ mailbox, token string }

// moveThere moves a message on the server, in one of the ways in which clients do. One
// that is copied now and removed later counts as two until then.
func (s *soak) moveThere(from string, m sim.Message, to string) {
	how := s.random.IntN(4)
	s.note("in way %d", how)
	if how == 0 || how == 3 && *soakHard {
		s.server.Move(from, m.UID, to)
		return
	}
	s.world.Advance(1)
	way := refilings[[]string{"with today's date", "by mbsync"}[s.random.IntN(2)]]
	s.server.Append(to, way(s.fixture, m))
	if how < 3 {
		s.server.Expunge(from, m.UID)
		return
	}
	s.messages[token(m.Body)].born++
	s.halves = append(s.halves, half{from, token(m.Body)})
}

// finishMoves removes what was copied before the run, where it still is.
func (s *soak) finishMoves() {
	s.halves = slices.DeleteFunc(s.halves, func(h half) bool {
		for _, m := range s.server.Messages(h.mailbox) {
			if token(m.Body) != h.token || !s.upheaval.tells(h.mailbox, m.UID) || s.announced(m.Body) {
				continue
			}
			s.note("remove %s, which was copied, from %s", h.token, h.mailbox)
			s.server.Expunge(h.mailbox, m.UID)
			s.messages[h.token].born--
			break
		}
		return true
	})
}
