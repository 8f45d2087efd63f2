package cli

import (
	"io/fs"
	"os"
	"strconv"

	"github.com/contextcore/ccdestroy/internal/durable"
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
