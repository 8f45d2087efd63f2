package engine

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// birth is when the directory of a volume was created, zero if the file system
// does not keep that. It is taken from the directory around the data, whose
// entry only the engine creates or removes.
func birth(mountpoint string) time.Time {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, filepath.Dir(mountpoint), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

// changed is when the directory's inode last changed, which is what the engine
// calls the creation of a volume; zero when it is not there.
func changed(dir string) time.Time {
	var st unix.Stat_t
	if unix.Lstat(dir, &st) != nil {
		return time.Time{}
	}
	return time.Unix(st.Ctim.Sec, st.Ctim.Nsec)
}
