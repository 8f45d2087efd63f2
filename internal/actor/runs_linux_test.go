package actor

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A process that we may not signal runs all the same.
func TestRunsOfSomebodyElse(t *testing.T) {
	need.Root(t)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // this thread alone becomes somebody else, and ends with the goroutine
		const nobody = 65534
		if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); err != 0 {
			done <- err
			return
		}
		err := unix.Kill(1, 0)
		if !Runs(1) {
			t.Error("the first process does not run")
		}
		done <- err
	}()
	if err := <-done; !errors.Is(err, unix.EPERM) {
		t.Errorf("signalling the first process: %v", err)
	}
}
