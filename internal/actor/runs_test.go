package actor

import (
	"os"
	"os/exec"
	"testing"
)

// A process runs until it has been waited for. What is no process's number does not.
func TestRuns(t *testing.T) {
	if !Runs(os.Getpid()) {
		t.Error("this one does not run")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^$")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{child.Process.Pid, 0, -1, -os.Getpid(), 1 << 30} {
		if Runs(pid) {
			t.Errorf("%d runs", pid)
		}
	}
}
