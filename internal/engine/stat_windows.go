package engine

import "io/fs"

// inode identifies a file among its hard links; here each file is its own.
type inode struct{}

func statOf(fs.FileInfo) (id inode, links uint64, disk int64) { return inode{}, 1, 0 }
