package plan

import (
	"cmp"
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// entry is one message with a record, as both sides show it.
type entry struct {
	base   state.Record
	local  conflict.Local
	remote conflict.Remote
	// now is the file as it is, unless it is absent.
	now state.LocalMessage
	// at is the mailbox in which a moved file lies, nil otherwise.
	at *Mailbox
	// msg is the message as it is, unless it is absent.
	msg state.RemoteMessage
	// to is the mailbox in which a moved message lies, nil otherwise.
	to *Mailbox
	// copied is the copy that an interrupted move has left where the message was
	// to go, nil without one.
	copied *state.RemoteMessage
	// renumbered is true when the message is in its mailbox under another UID.
	renumbered bool
	// successor is the new file that replaces a draft whose own is gone, nil without one.
	successor *state.LocalMessage
	// twin is that of a message which is gone from one side: see findTwins.
	twin *entry
	// gain, lose and gainTags are what a twin gets, or loses, of another message's flags
	// and keywords.
	gain, lose state.Flags
	gainTags   state.Keywords
}

// builder collects the plan of one account.
type builder struct {
	in    Input
	plan  Plan
	views []*view // aligned with in.Mailboxes
	byBox map[*Mailbox]*view
	opens map[string]bool // the names in plan.Open
}

// view is a mailbox while it is being planned.
type view struct {
	*Mailbox
	entries []*entry // messages of which a side changed something
	byUID   map[state.UID]*entry
	// newLocal and newRemote are what has no record yet and belongs to no move.
	newLocal  []state.LocalMessage
	newRemote []state.RemoteMessage
	// waiting is true when a message was moved here from a mailbox, or from
	// here to one, of which a side is not known in this cycle.
	waiting bool
	// unsure is how many new messages wait because they may be in files that nobody
	// could read.
	unsure int
	// doubted is true when an absence here could not be concluded from, so that
	// what is held here may neither end nor be carried out.
	doubted bool
	// rematched is true when the records are bound to other UIDs in this cycle.
	rematched bool
	// paired are the contents of new files that were paired with new messages.
	paired map[state.Digest]bool
	// answered are the keys of files without a message for which one was found.
	answered map[state.Key]bool
	// withheld are the headers of messages that wait because they may have been
	// moved: neither a file nor a message that has one of them is new.
	withheld map[state.Digest]bool
	// wanted are messages to download although their UIDs are not new.
	wanted state.UIDSet
	// restored are those that the user wants back.
	restored state.UIDSet
	// copies are the new messages that are taken for what is left of a move.
	copies map[state.UID]bool
}

// Build returns the plan for the input. Wants must have been satisfied before:
// what is not known about a new message is taken as "not the same".
func Build(in Input) Plan {
	b := &builder{in: in, byBox: make(map[*Mailbox]*view), opens: make(map[string]bool)}
	for i := range in.Mailboxes {
		v := newView(&b.in.Mailboxes[i])
		b.views = append(b.views, v)
		b.byBox[v.Mailbox] = v
	}
	matchLocalMoves(b.views)
	b.doubtFiles()
	matchRemoteMoves(b.views, follow(in.Mailboxes))
	b.matchCopies()
	doubt(b.views, in)
	b.rematch()
	b.findTwins()
	for _, v := range b.views {
		if !v.Suspended {
			b.create(v)
		}
		if v.waiting || v.Vanished {
			b.open(v.Name)
		}
		if v.unsure > 0 {
			b.plan.Problems = append(b.plan.Problems, state.Problem{
				Scope: state.ScopeMailbox, Mailbox: v.Name,
				Text: state.Textf("new messages are not downloaded, %d now: they may be in files of folder %q that nobody can read", v.unsure, v.Folder),
				Hint: "make the files readable, or move them out of the folder",
			})
		}
		if !v.known() {
			continue
		}
		b.stillThere(v)
		b.pairNew(v)
		b.disown(v)
		b.findSuccessors(v)
		for _, e := range v.entries {
			b.decide(v, e)
		}
		b.retry(v)
	}
	b.guard()
	b.awaitTrash()
	for _, v := range b.views {
		if v.known() {
			b.exclude(v)
			b.transfer(v)
		}
	}
	order(b.plan.Ops)
	return b.plan
}

// newView joins the two deltas of a mailbox by record.
func newView(m *Mailbox) *view {
	v := &view{Mailbox: m, paired: make(map[state.Digest]bool), answered: make(map[state.Key]bool), byUID: make(map[state.UID]*entry), withheld: make(map[state.Digest]bool), copies: make(map[state.UID]bool)}
	// One known side is enough to see moves: a message that went to or came
	// from a mailbox whose other side is not known is neither deleted nor new.
	if m.Local != nil {
		v.newLocal = slices.Clone(m.Local.New)
		v.joinLocal(m.Local)
	}
	if m.Remote != nil {
		v.newRemote = slices.Clone(m.Remote.New)
		v.joinRemote(m.Remote)
		for _, r := range m.Offer {
			v.entry(r)
		}
	}
	v.joinLost()
	slices.SortStableFunc(v.entries, func(a, b *entry) int { return cmp.Compare(a.base.UID, b.base.UID) })
	return v
}

func (v *view) joinLocal(d *state.LocalDelta) {
	for _, c := range d.Changed {
		if e := v.entry(c.Base); e != nil {
			e.now = complete(c.Now, c.Base)
			e.local = localState(c)
		}
	}
	for _, r := range d.Missing {
		if e := v.entry(r); e != nil {
			e.now = state.LocalMessage{}
			e.local = conflict.LocalAbsent
		}
	}
}

func (v *view) joinRemote(d *state.RemoteDelta) {
	for _, c := range d.Changed {
		if e := v.entry(c.Base); e != nil {
			e.msg.Flags, e.msg.Keywords = c.Flags, c.Keywords
			e.remote = conflict.RemoteFlags
			if c.Flags&^c.Base.Flags&v.Shared()&state.Trashed != 0 {
				e.remote = conflict.RemoteDeleted
			}
		}
	}
	for _, r := range d.Gone {
		if e := v.entry(r); e != nil {
			e.msg = state.RemoteMessage{}
			e.remote = conflict.RemoteAbsent
		}
	}
}

// entry returns the entry of a paired record, as it is until a delta says
// otherwise; nil for records that are planned for in retry.
func (v *view) entry(r state.Record) *entry {
	if r.State != state.Paired {
		return nil
	}
	if e := v.byUID[r.UID]; e != nil {
		return e
	}
	e := &entry{
		base: r, local: conflict.LocalSame, remote: conflict.RemoteSame,
		now: recordedFile(r),
		msg: state.RemoteMessage{UID: r.UID, Flags: r.SharedFlags(), Keywords: r.Keywords, Identity: r.Remote},
	}
	if v.Local == nil {
		e.local = conflict.LocalUnknown
	}
	if v.Remote == nil {
		e.remote = conflict.RemoteUnknown
	}
	v.byUID[r.UID] = e
	v.entries = append(v.entries, e)
	return e
}

// complete fills in what a scan of names alone does not see.
func complete(now state.LocalMessage, base state.Record) state.LocalMessage {
	if now.Stat == (state.FileStat{}) {
		now.Stat = base.Stat
	}
	if now.Content == (state.Content{}) {
		now.Content = base.Content
	}
	if now.Date == 0 {
		now.Date = base.Remote.Date
	}
	return now
}

func localState(c state.LocalChange) conflict.Local {
	switch {
	case c.Edited:
		return conflict.LocalEdited
	case c.Now.Flags != c.Base.Flags || !c.Now.Keywords.Equal(c.Base.AllKeywords()):
		return conflict.LocalFlags
	}
	return conflict.LocalSame
}

// create plans the folder or the mailbox that is still to be made.
func (b *builder) create(v *view) {
	if v.NewFolder {
		b.add(v, Op{Kind: CreateFolder, Levels: v.Levels, Apart: v.Apart, Why: "the mailbox is on the server"})
	}
	if v.NewMailbox {
		b.add(v, Op{Kind: CreateMailbox, Why: "the folder is in the tree"})
	}
}

// add appends an operation, unless it would change a mailbox that the server
// lets nobody change.
func (b *builder) add(v *view, op Op) {
	op.Mailbox = v.Name
	if op.Folder == "" {
		op.Folder = v.Folder
	}
	op, left := b.directed(op)
	if !left {
		return
	}
	if v.readOnly() && changesRemote(op) {
		b.refuseReadOnly(v, op)
		return
	}
	b.plan.Ops = append(b.plan.Ops, op)
}

// refuseReadOnly keeps the local change, says so once per mailbox, and does
// what can still be done on the local side.
func (b *builder) refuseReadOnly(v *view, op Op) {
	b.open(op.touches()...)
	text := state.Textf("the server lets nobody change mailbox %q: local changes stay local", v.Name)
	if !slices.ContainsFunc(b.plan.Problems, func(p state.Problem) bool { return p.Text == text }) {
		b.plan.Problems = append(b.plan.Problems, state.Problem{
			Scope: state.ScopeMailbox, Cause: state.CauseReadOnly, Mailbox: v.Name, Text: text,
			Hint: state.Textf(`ask the mailbox's owner for the right to change it, or leave it out with mailboxes = ["*", %q]`, "!"+v.Name),
		})
	}
	if op.Kind != SetFlags && op.Kind != Pair && op.Kind != MoveLocal {
		return
	}
	// The base keeps what the server has, so that the local change stays
	// visible as a change.
	if op, changes := op.withoutRemote(); changes {
		b.plan.Ops = append(b.plan.Ops, op)
	}
}

// transfer plans what is new on one side only.
func (b *builder) transfer(v *view) {
	if len(v.newRemote) > 0 {
		var uids state.UIDSet
		for _, m := range v.newRemote {
			uids = uids.Add(m.UID)
		}
		b.add(v, Op{Kind: Download, UIDs: uids, Why: "new on the server"})
	}
	if len(v.wanted) > 0 {
		b.add(v, Op{Kind: Download, UIDs: v.wanted, Own: v.own(v.wanted), Why: "missing here, and wanted"})
	}
	if len(v.restored) > 0 {
		b.add(v, Op{Kind: Download, UIDs: v.restored, Own: v.own(v.restored), Decided: true, Why: "the removal was rejected"})
	}
	if len(v.newLocal) > 0 {
		b.add(v, Op{Kind: Upload, Files: v.newLocal, Why: "new in the folder"})
	}
}

// own returns the keywords that only the local side had of the messages.
func (v *view) own(uids state.UIDSet) map[state.UID]state.Keywords {
	var own map[state.UID]state.Keywords
	for uid := range uids.All() {
		if e := v.byUID[uid]; e != nil && e.base.LocalKeywords != "" {
			if own == nil {
				own = make(map[state.UID]state.Keywords)
			}
			own[uid] = e.base.LocalKeywords
		}
	}
	return own
}

// order sorts the operations: by kind, then by mailbox, then by message.
func order(ops []Op) {
	slices.SortStableFunc(ops, func(a, b Op) int {
		return cmp.Or(
			cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Mailbox, b.Mailbox),
			cmp.Compare(a.Base.UID, b.Base.UID),
			cmp.Compare(a.Remote.UID, b.Remote.UID),
			cmp.Compare(a.Local.Key, b.Local.Key),
		)
	})
}
