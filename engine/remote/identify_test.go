package remote

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestIdentify(t *testing.T) {
	const header = `BODY[HEADER.FIELDS (DATE FROM MESSAGE-ID SUBJECT TO)]`
	c := scripted(t, "", opened("4")+`
		C: UID FETCH 1:4 (UID
		S: * 1 FETCH (UID 1 FLAGS ())
		S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 40 INTERNALDATE "09-Sep-2001 01:46:40 +0000" `+header+` "Subject: a")
		S: * 2 FETCH (UID 2 FLAGS (\Draft) RFC822.SIZE 50 INTERNALDATE NIL `+header+` {12}
		S: Subject: b
		S: )
		S: * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 1 `+header+` NIL)
		S: $ OK done
		C: UID FETCH 1,3:4 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS (\Seen))
		S: $ OK done
		C: UID FETCH 1 (UID
		S: * 1 FETCH (`+header+` "Subject: a" UID 1 FLAGS (\Seen))
		S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 40 INTERNALDATE "09-Sep-2001 01:46:40 +0000" `+header+` "Subject: a")
		S: $ OK done`)
	got, err := c.Identify(t.Context(), box, state.NewUIDSet(1, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	want := []state.RemoteMessage{{
		UID: 1, Flags: state.Seen, Fields: "Subject: a",
		Identity: state.RemoteIdentity{Size: 40, Date: 1_000_000_000, Header: state.HeaderDigest([]byte("Subject: a"))},
	}, {
		UID: 2, Flags: state.Draft, Fields: "Subject: b\r\n",
		Identity: state.RemoteIdentity{Size: 50, Header: state.HeaderDigest([]byte("Subject: b\r\n"))},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestIdentifyNeverLeavesOutWhatIsThere(t *testing.T) {
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: $ OK done
		C: UID FETCH 1 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS ())
		S: $ OK done
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS ())
		S: $ OK done`)
	_, err := c.Identify(t.Context(), box, state.NewUIDSet(1))
	cause(t, err, state.CauseOther, state.ScopeMessage)
}

func TestIdentifyThatBreaksOff(t *testing.T) {
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 1 BODY[HEADER.FIELDS (DATE FROM MESSAGE-ID SUBJECT TO)] {100}
		S: too short
		close`)
	_, err := c.Identify(t.Context(), box, state.NewUIDSet(1))
	cause(t, err, state.CauseNetwork, state.ScopeAccount)
}
