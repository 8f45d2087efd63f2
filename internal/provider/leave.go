package provider

import (
	"os"
	"os/exec"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Start starts this program again with other arguments, in a session of its own,
// so that it outlives this process and its terminal. It inherits the held files.
func Start(dir string, env []string, held []*os.File, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "ccdestroy" // not as a plugin
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, env, ownSession()
	durable.Inherit(cmd, held)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
