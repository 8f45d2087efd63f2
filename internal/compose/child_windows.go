package compose

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps Ctrl-C from reaching the child by itself.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// signalGroup ends the child: Windows can pass on nothing gentler.
func signalGroup(p *os.Process, _ os.Signal) { _ = p.Kill() }

// openTerminal has no way here: the child gets a pipe and prints plain lines.
func openTerminal(*os.File) (read, child *os.File, end func(), err error) {
	return nil, nil, func() {}, nil
}
