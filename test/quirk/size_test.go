package quirk_test

import (
	"fmt"
	"strconv"
	"testing"

	"mailmoor/test/quirk"
)

// wrongSize is a server that counts something to each message that it does not send.
func wrongSize() quirk.Quirk {
	return quirk.Size("RFC822.SIZE too large by 17", "gateways that add a header field when they send",
		func(size int) string { return strconv.Itoa(size + 17) })
}

// TestMovedOnAServerThatIsWrongAboutSizes: the size of the body was recorded as that which
// the server tells. No move was recognised: of one flagged here there were two, and many
// were held.
func TestMovedOnAServerThatIsWrongAboutSizes(t *testing.T) {
	t.Parallel()
	for _, q := range []quirk.Quirk{wrongSize(), quirk.RoundedSize(), quirk.ZeroSize()} {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, quirk.Options{})
			a.srv.Switch(q)
			var want []string
			for i := range 150 {
				token := fmt.Sprintf("m%03d", i)
				a.deliver("INBOX", token)
				want = append(want, "Archive/"+token+":")
			}
			a.clean()
			a.letters("INBOX", "m000", "F")
			want[0] += "F"
			for i, n := range []int{120, 28, 2} {
				for j := range n {
					a.srv.Move("INBOX", a.uid("INBOX", fmt.Sprintf("m%03d", []int{0, 120, 148}[i]+j)), "Archive")
				}
				report := a.sync()
				a.noComplaint(report)
				if c := report.Counts; c.MovedLocal != n || c.Downloaded+c.Uploaded+c.RemovedLocal > 0 {
					t.Errorf("counts are %+v, want %d moves", c, n)
				}
			}
			a.expect(want...)
			a.mattered(q)
		})
	}
}
