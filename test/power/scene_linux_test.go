package power

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/test/scene"
)

// usual are the scenes that are played unless others are asked for.
var usual = []string{
	"first-sync", manyName, "upload", "new-on-both-sides", "flags",
	"deleted-here", "deleted-on-the-server", "moved-here", "moved-on-the-server",
}

// scenes returns those of the names, separated by commas; "all" and "" are all
// and the usual ones. Scenes that hide capabilities of the server are left out:
// that is no matter of the disk.
func scenes(t testing.TB, names string) []scene.Scene {
	t.Helper()
	var known []scene.Scene
	for _, s := range append(scene.All(), many()) {
		if len(s.Hide) == 0 {
			known = append(known, s)
		}
	}
	wanted := strings.Split(names, ",")
	switch names {
	case "all":
		return known
	case "":
		wanted = usual
	}
	var chosen []scene.Scene
	for _, name := range wanted {
		i := slices.IndexFunc(known, func(s scene.Scene) bool { return s.Name == name })
		if i < 0 {
			t.Fatalf("there is no scene %q", name)
		}
		chosen = append(chosen, known[i])
	}
	return chosen
}

// manyName is the name of the scene that many returns.
const manyName = "download-20"

// many is a download of so many messages that the whole file system is synced at
// once, not each file.
func many() scene.Scene {
	want := scene.Want{Both: []string{"INBOX/twin:"}}
	for i := range 20 {
		want.Both = append(want.Both, "INBOX/"+manyToken(i)+":")
	}
	return scene.Scene{
		Name: manyName,
		Prepare: func(s *scene.Stage) {
			appendTo(s, "twin")
			s.Rest()
		},
		Happen: func(s *scene.Stage) {
			for i := range 20 {
				appendTo(s, manyToken(i))
			}
		},
		Check: func(s *scene.Stage) { s.Expect(want) },
	}
}

// manyToken names a message. Those that begin like this all have scene.Date.
func manyToken(number int) string { return fmt.Sprintf("twin%02d", number) }

func appendTo(s *scene.Stage, token string) {
	s.Server.Append(s.User, "INBOX", nil, time.Unix(scene.Date, 0), scene.Body(token))
}
