package maildir

import (
	"time"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// settleTime is how old a directory's time stamp must be before an equal stamp
// proves anything: file systems stamp with a coarse clock, so that two changes
// close together can leave the same stamp. FAT has the coarsest, with 2 s.
const settleTime = 2 * time.Second

// settleTimeFine is enough where stamps have fractions of a second: they are those of the
// kernel's clock then, which ticks every 10 ms at the slowest.
const settleTimeFine = 100 * time.Millisecond

// mtimeMax is the last second of 2037. Later dates break 32-bit programs.
const mtimeMax = 2145916799

// fileStat returns what a record keeps of a file's stat.
func fileStat(st unix.Stat_t) state.FileStat {
	return state.FileStat{Inode: st.Ino, Size: st.Size, Mtime: st.Mtim.Nano()}
}

// date returns the file's mtime in Unix seconds.
func date(st unix.Stat_t) int64 {
	sec, _ := st.Mtim.Unix()
	return sec
}

func clampDate(seconds int64) int64 { return min(max(seconds, 0), mtimeMax) }

func dirStamp(st unix.Stat_t) state.DirStamp {
	return state.DirStamp{Inode: st.Ino, Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano()}
}

// settled reports whether a stamp that was read at now, or later, is old enough
// to prove something. A stamp from the future never is.
func settled(s state.FolderStamp, now time.Time) bool {
	newest := max(s.New.Mtime, s.New.Ctime, s.Cur.Mtime, s.Cur.Ctime)
	enough := settleTime
	// No program sets a ctime, so that it tells how fine the file system's stamps are.
	if s.New.Ctime%int64(time.Second) != 0 && s.Cur.Ctime%int64(time.Second) != 0 {
		enough = settleTimeFine
	}
	return s != state.FolderStamp{} && now.UnixNano()-newest >= int64(enough)
}

func isRegular(st unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }
