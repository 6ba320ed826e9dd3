package maildir

import (
	"cmp"
	"context"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// Room returns how much room there is on the disk of the root. See
// engine.LocalDisk.
func (t *Tree) Room(ctx context.Context) (state.Room, error) {
	if err := ctx.Err(); err != nil {
		return state.Room{}, err
	}
	path, fs := cmp.Or(t.o.Disk, t.path), unix.Statfs_t{}
	if err := unix.Statfs(path, &fs); err != nil {
		return state.Room{}, wrap(state.ScopeAccount, err, "ask for the room in %q", path)
	}
	size := int64(fs.Bsize) //nolint:unconvert // it is an uint32 on macOS
	return state.Room{Free: blocks(fs.Bavail, size), Total: blocks(fs.Blocks, size)}, nil
}

// blocks returns the bytes of so many blocks, as many as an int64 can tell.
func blocks(n uint64, size int64) int64 {
	const most = 1<<63 - 1
	if size <= 0 || n > uint64(most/size) {
		return most
	}
	return int64(n) * size
}
