package audit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/power"
)

// TestPowerCut cuts the power of a disk at random moments of a run of appends.
// What was acknowledged is there when the disk is mounted again.
func TestPowerCut(t *testing.T) {
	needLab(t)
	need.Root(t)
	need.Command(t, "mkfs.ext4", "losetup", "mount")
	privateMounts(t)
	base := t.TempDir()
	image, dir := filepath.Join(base, "image"), filepath.Join(base, "disk")
	need.Run(t, "truncate", "-s", "64M", image)
	need.Run(t, "mkfs.ext4", "-q", image)
	need.Run(t, "mkdir", dir)
	out, err := exec.Command("losetup", "--show", "--find", image).CombinedOutput()
	need.That(t, fmt.Sprintf("a loop device (%s)", out), err == nil)
	device := string(out[:len(out)-1])
	t.Cleanup(func() { need.Run(t, "losetup", "--detach", device) })
	l := &Log{Path: filepath.Join(dir, DefaultPath)}
	var ids []string
	torn, cuts := 0, often(100, 10) // how many times the power is cut
	for cut := range cuts {
		need.Run(t, "mount", device, dir)
		if cut > 0 {
			torn += tornAfterCut(t, l, ids)
		}
		got := appendUntilCut(t, l, dir, fmt.Sprintf("CUT%d", cut))
		ids = append(ids, got...)
		need.Run(t, "umount", dir)
	}
	need.Run(t, "mount", device, dir)
	defer need.Run(t, "umount", dir)
	torn += tornAfterCut(t, l, ids)
	if len(ids) < cuts {
		t.Errorf("only %d events were acknowledged", len(ids))
	}
	t.Logf("%d cuts, %d of them left a torn line; %d events acknowledged, all there", cuts, torn, len(ids))
}

func tornAfterCut(t *testing.T, l *Log, ids []string) (torn int) {
	t.Helper()
	if _, err := os.Stat(l.Path); err != nil {
		if len(ids) > 0 {
			t.Fatal(err)
		}
		return 0
	}
	holdsAll(t, l, ids, true)
	if r, err := l.Verify(nil); err != nil || !r.Intact() {
		torn = 1
	}
	return torn
}

// appendUntilCut lets a process append and cuts the power at a random moment.
func appendUntilCut(t *testing.T, l *Log, dir, id string) (ids []string) {
	t.Helper()
	mount, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer mount.Close()
	after := rand.IntN(12) // acknowledged events before the cut
	cmd := appender(l.Path, id, 1000, "APPEND_ROOM=65536")
	var mu sync.Mutex
	enough := make(chan struct{})
	seen := 0
	done := linesOf(t, cmd, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		got, _ := acked(line)
		ids = append(ids, got...)
		if seen++; seen == after {
			close(enough)
		}
	})
	if after > 0 {
		<-enough
	}
	time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // anywhere in an append: no wait for anything
	// What a live process hears after the cut does not count: without power it
	// would hear nothing. (The kernel may even say yes to an fsync that is under
	// way, without keeping the data.)
	mu.Lock()
	before := slices.Clone(ids)
	mu.Unlock()
	if err := power.Cut(mount); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	<-done
	_ = cmd.Wait()
	return before
}

// TestManyProcesses lets 32 processes append 200 events each at once, and then
// again with some of them killed.
func TestManyProcesses(t *testing.T) {
	needLab(t)
	for _, killed := range []int{0, 8} {
		t.Run(fmt.Sprintf("%d killed", killed), func(t *testing.T) {
			processes, each := often(32, 12), often(200, 20)
			l := &Log{Path: filepath.Join(t.TempDir(), DefaultPath)}
			var mu sync.Mutex
			var ids []string
			var all sync.WaitGroup
			for p := range processes {
				own := 0
				stop := rand.IntN(each)
				cmd := appender(l.Path, fmt.Sprintf("P%d", p), each)
				done := linesOf(t, cmd, func(line string) {
					got, errs := acked(line)
					if len(errs) > 0 {
						t.Error(errs)
					}
					mu.Lock()
					ids = append(ids, got...)
					mu.Unlock()
					if own++; p < killed && own == stop {
						_ = cmd.Process.Kill()
					}
				})
				all.Go(func() {
					<-done
					_ = cmd.Wait()
				})
			}
			all.Wait()
			if killed == 0 && len(ids) != processes*each {
				t.Errorf("%d events were acknowledged", len(ids))
			}
			holdsAll(t, l, ids, false)
			r, _ := l.Verify(nil)
			if r.Events < int64(len(ids)) || r.Events > int64(len(ids)+killed) || r.Lines != r.Events {
				t.Errorf("%d events in %d lines; %d were acknowledged", r.Events, r.Lines, len(ids))
			}
			t.Logf("%d processes, %d killed: %d events in one chain", processes, killed, r.Events)
		})
	}
}
