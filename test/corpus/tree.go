package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Mailbox is one mailbox of a generated tree.
type Mailbox struct {
	// Name is UTF-8 with "/" between the levels.
	Name     string
	Messages int
}

// treeDepth is how many levels a name has at most.
const treeDepth = 4

// Tree returns count mailboxes, INBOX first and parents before children, that
// share the messages: about half of them are in INBOX, the rest is spread
// unevenly, and some mailboxes are empty. Names have spaces, ampersands and
// letters of several scripts; those that all servers take.
func Tree(seed uint64, count, messages int) []Mailbox {
	random := rand.New(rand.NewPCG(seed, 0x7ee))
	tree := make([]Mailbox, 0, count)
	tree = append(tree, Mailbox{Name: "INBOX", Messages: messages / 2})
	taken := map[string]bool{"INBOX": true}
	for len(tree) < count {
		name := treeName(random, len(tree))
		// INBOX has no children here: some servers do not allow them.
		if parent := tree[random.IntN(len(tree))].Name; parent != "INBOX" &&
			strings.Count(parent, "/") < treeDepth-1 && random.IntN(3) > 0 {
			name = parent + "/" + name
		}
		if !taken[name] {
			taken[name] = true
			tree = append(tree, Mailbox{Name: name})
		}
	}
	if count == 1 {
		tree[0].Messages = messages
		return tree
	}
	for left := messages - messages/2; left > 0; {
		// The square prefers the mailboxes at the front.
		i := 1 + int(float64(count-1)*random.Float64()*random.Float64())
		n := min(left, 1+random.IntN(max(messages/count, 1)))
		tree[i].Messages += n
		left -= n
	}
	return tree
}

func treeName(random *rand.Rand, i int) string {
	names := [...]string{
		"Projects", "Receipts", "Family", "Büro", "Entwürfe", "Архив", "仕事", "Ελλάδα",
		"R&D", "To do", "Été 2019", "📬 Post", "it's here", "a+b", "Ünïcödé & more",
	}
	name := names[random.IntN(len(names))]
	if random.IntN(2) == 0 {
		return name
	}
	return fmt.Sprintf("%s %d", name, i)
}
