package plan

import "mailmoor/state"

const (
	// roomKeptMin and roomKeptMax bound what downloads leave free of a disk for all else:
	// the state for one, which has to note what has arrived.
	roomKeptMin = 1 << 20
	roomKeptMax = 64 << 20
	// roomKeptPart is the part of the whole disk that is left free within those bounds.
	roomKeptPart = 50
	// blockBytes is what files are made of on most disks, and recordBytes what the state
	// notes of a message.
	blockBytes  = 4 << 10
	recordBytes = 1 << 10
	// meanBytes is more than what messages are large on average. As long as there is room
	// for so much of each, nobody has to ask for their sizes.
	meanBytes = 512 << 10
)

// Room is what downloads may still fill of a disk.
type Room struct {
	left int64
	// Short and ShortBytes are the messages that had none.
	Short      int
	ShortBytes int64
}

// RoomOf returns the room on a disk, nil if it is not known or more than enough for
// that many messages.
func RoomOf(disk state.Room, messages int) *Room {
	if disk.Total <= 0 {
		return nil
	}
	r := &Room{left: disk.Free - min(roomKeptMax, max(roomKeptMin, disk.Total/roomKeptPart))}
	if int64(messages)*meanBytes <= r.left {
		return nil
	}
	return r
}

// Admits reports whether a message of that size fits on the disk.
func Admits(disk state.Room, size int64) bool {
	r := RoomOf(disk, 1+int(size/meanBytes))
	return r == nil || taken(size) <= r.left
}

// taken is how much of the disk a message of that size takes.
func taken(size int64) int64 { return (size+blockBytes-1)/blockBytes*blockBytes + recordBytes }

// Take returns those of the messages that fit, in order: one that is too large does not
// stand in the way of those behind it. One without a size is let through.
func (r *Room) Take(uids state.UIDSet, sizes map[state.UID]int64) state.UIDSet {
	var fit state.UIDSet
	for uid := range uids.All() {
		size, known := sizes[uid]
		switch {
		case !known:
		case taken(size) > r.left:
			r.Short++
			r.ShortBytes += taken(size)
			continue
		default:
			r.left -= taken(size)
		}
		fit = fit.Add(uid)
	}
	return fit
}
