package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// trusts reports whether the owner of a file has a say in what this process
// does: the account itself, root, and, when sudo made it root, the account that
// called sudo. Where files have no owners everybody has.
func (p Process) trusts(info fs.FileInfo) (owner int, trusted bool) {
	owner, known := durable.Owner(info)
	if !known || owner == 0 || owner == os.Geteuid() {
		return owner, true
	}
	caller, err := strconv.Atoi(p.Getenv("SUDO_UID"))
	return owner, os.Geteuid() == 0 && err == nil && owner == caller
}

// mayRecordIn refuses as root to record in a directory of another account that
// was only found, not named: its owner would get root's records, and decide where
// they are written. It need not exist yet.
func (p Process) mayRecordIn(dir string) error {
	if os.Geteuid() != 0 {
		return nil // the log itself says whose it is
	}
	for _, at := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Lstat(at)
		if err != nil {
			continue
		}
		if owner, trusted := p.trusts(info); !trusted {
			return &fault.Fault{
				Err:  fmt.Errorf("nothing is recorded in %s, where root was not told to: %s belongs to uid %d", dir, at, owner),
				Try:  "--log FILE, which may name a log there",
				Code: fault.ExitNoRecord,
			}
		}
	}
	return nil
}
