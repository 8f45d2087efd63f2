// Package power cuts the power of a disk, for the tests of what is durable.
package power

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The request is EXT4_IOC_SHUTDOWN of the kernel's fs/ext4/ext4.h; the flag says
// that the journal is not written out first.
const (
	shutdownRequest = 0x8004587d
	withoutFlush    = 2
)

// Cut cuts the power of the ext4 that the open directory is on. What is not
// durable is lost, and all calls fail until it is mounted again.
func Cut(dir *os.File) error {
	if err := unix.IoctlSetPointerInt(int(dir.Fd()), shutdownRequest, withoutFlush); err != nil {
		return fmt.Errorf("shut the file system of %q down: %w", dir.Name(), err)
	}
	return nil
}
