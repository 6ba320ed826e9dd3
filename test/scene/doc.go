// Package scene has the fixed scenes for fault loops: tests that disturb one and
// the same piece of work at each of thousands of points and look whether
// everything is right again afterwards.
//
// A [Scene] is a starting point, what users did on both sides since, and what
// must be true when the program has come to rest. A [Stage] is an account on
// which it is played: a user of a Dovecot of its own, a Maildir tree, a state
// directory and a configuration file. A loop plays the beginning once, takes a
// [Stage.Snapshot], and then for each point restores it, runs the program with
// a fault, lets it come to rest, and checks:
//
//	stage := scene.NewStage(t, s)
//	s.Begin(stage)
//	before := stage.Snapshot()
//	for point := range points {
//		stage.Restore(before)
//		disturb(stage.Command(ctx, "sync"), point)
//		stage.Quiesce()
//		s.Check(stage)
//	}
//
// What is checked, after docs/design.md: every message that nobody deleted is
// on both sides, once for each time that it was put there, where it was put,
// with its content, flags and date; what was deleted lies in Trash or in the
// hold area; records, files and UIDs are a bijection; no intent is open and no
// unfinished file is left; and one more run does nothing at all.
package scene
