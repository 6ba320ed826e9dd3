package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// findSuccessors finds the drafts that were saved again. Readers write a new file, with
// another date or Message-ID, and delete the old one: what looks like a new message and
// a deleted one is an edited one. Each new file replaces one draft: that with the same
// header fields, or else the newest, which is the one that somebody works on.
func (b *builder) findSuccessors(v *view) {
	if v.Role != state.RoleDrafts {
		return
	}
	files := slices.Clone(v.newLocal)
	for _, same := range []bool{true, false} {
		for _, e := range slices.Backward(v.entries) { // ordered by UID
			if e.local != conflict.LocalAbsent || e.successor != nil || b.undecided(v, e.base.UID) {
				continue
			}
			i := slices.IndexFunc(files, func(f state.LocalMessage) bool {
				return !same || f.Content.Header == e.base.Content.Header
			})
			if i >= 0 {
				file := files[i]
				e.successor, files = &file, slices.Delete(files, i, i+1)
			}
		}
	}
}

// replace plans the upload of a message's new version, in the same file or in another one.
func (b *builder) replace(v *view, e *entry, op Op) {
	if file := e.successor; file != nil {
		v.newLocal = without(v.newLocal, func(i int) bool { return v.newLocal[i].Key == file.Key })
		op.Local, op.WantLocal, op.WantRemote = *file, file.Flags, file.Flags
		op.Tags = conflict.Tags{Local: file.Keywords}
	}
	if e.base.Retry.NextAt > b.in.Now {
		b.open(v.Name) // the server refused the new version; later it may not
		return
	}
	op.Kind = Replace
	b.add(v, op)
}
