package compose

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// ownGroup keeps Ctrl-C from reaching the child by itself.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// signalGroup gives the child's group Ctrl-Break, the one signal that Windows passes
// to a group: Compose treats it as an interrupt, and stops cleanly. Without a
// console to pass it through the child is ended.
func signalGroup(p *os.Process, _ os.Signal) {
	if windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.Pid)) != nil {
		_ = p.Kill()
	}
}

// openTerminal cannot work here: the child gets a pipe and prints plain lines.
func openTerminal(*os.File) (read, child *os.File, end func(), err error) {
	return nil, nil, func() {}, nil
}
