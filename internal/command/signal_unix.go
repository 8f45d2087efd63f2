//go:build unix

package command

import "os"

// passOn gives a signal to the command.
func passOn(p *os.Process, sig os.Signal) { _ = p.Signal(sig) } // already gone: nothing to signal
