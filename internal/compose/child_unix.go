//go:build unix

package compose

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/creack/pty"
)

// ownGroup puts the child into a process group of its own, in the background of
// the terminal. SIGTTOU and SIGTTIN are ignored, and so by the child: with
// `stty tostop`, or when ssh asks for something, it gets an error instead of
// being stopped for good.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signal.Ignore(syscall.SIGTTOU, syscall.SIGTTIN)
}

func signalGroup(p *os.Process, sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok {
		_ = syscall.Kill(-p.Pid, s) // already gone: nothing to signal
	}
}

// openTerminal makes a pseudo terminal as large as ours, and keeps it so.
func openTerminal(ours *os.File) (read, child *os.File, end func(), err error) {
	read, child, err = pty.Open()
	if err != nil {
		return nil, nil, func() {}, nil // a pipe will do
	}
	_ = pty.InheritSize(ours, read)
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			_ = pty.InheritSize(ours, read)
		}
	}()
	return read, child, func() { signal.Stop(resized); close(resized) }, nil
}
