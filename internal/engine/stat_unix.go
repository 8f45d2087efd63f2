//go:build unix

package engine

import (
	"io/fs"
	"syscall"
)

// inode identifies a file among its hard links.
type inode struct{ dev, ino uint64 }

// blockUnit is the unit of st_blocks, on every Unix.
const blockUnit = 512

func statOf(info fs.FileInfo) (id inode, links uint64, disk int64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}, 1, 0
	}
	return inode{uint64(st.Dev), st.Ino}, uint64(st.Nlink), st.Blocks * blockUnit
}
