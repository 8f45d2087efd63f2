package trash

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// filling are the ways in which a disk is full. One of them takes the rest but so
// much.
var filling = map[string]func(d *disk, free int){
	"blocks": (*disk).fillBlocks,
	"inodes": (*disk).fillInodes,
}

func smallDisk(t *testing.T) (*disk, *volumes) {
	t.Helper()
	d := newDisk(t, "4M", "-N", "128", "-m", "0")
	return d, makeVolumes(t, d, 3, "a", "b", "c")
}

// On a full disk all are set aside or none, wherever the room ends, and nothing of
// a failure stays.
func TestFullDiskSetAside(t *testing.T) {
	for kind, fill := range filling {
		t.Run(kind, func(t *testing.T) {
			d, v := smallDisk(t)
			v.step = func(string, string) error { return nil } // one volume after the other
			failed := map[string]int{}                         // how often, by what was attempted
			for free := range 64 {
				fill(d, free)
				err := v.setAside()
				if err == nil {
					break
				}
				v.noneAside(err)
				failed[strings.Fields(err.Error())[0]]++
			}
			v.all(InTrash, "with room enough")
			if failed["make"] < 2 || kind == "blocks" && failed["write"] == 0 {
				t.Errorf("failures: %v", failed)
			}
			t.Logf("failures, and then success: %v", failed)
		})
	}
}

// noneAside fails unless it failed for want of room, and no volume is set aside.
func (v *volumes) noneAside(err error) {
	v.t.Helper()
	for line := range strings.Lines(err.Error()) { // one for each volume that failed
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(line, unix.ENOSPC.Error()) {
			v.t.Errorf("the error is %v", err)
		}
	}
	v.all(InVolume, "not set aside")
	for _, left := range v.leftovers() {
		v.t.Errorf("left in the trash: %s", left)
	}
}

// A disk that fills before a step of setting aside fails all of it, or none: once
// the entries are there, nothing needs room.
func TestFullDiskMeanwhile(t *testing.T) {
	for kind, fill := range filling {
		t.Run(kind, func(t *testing.T) {
			for at, came := 0, true; came; at++ {
				d, v := smallDisk(t)
				var steps []string
				v.step = func(step, _ string) error {
					if steps = append(steps, step); len(steps) > at {
						fill(d, 0)
					}
					return nil
				}
				err := v.setAside()
				came = len(steps) > at
				switch {
				case err != nil:
					v.noneAside(err)
				default:
					v.all(InTrash, "set aside")
				}
				if last := len(v.names)*3 - 2; at >= last && err != nil || at < last && err == nil { // the last rename
					t.Errorf("full at step %d of %q: %v", at, steps, err)
				}
				d.unmount()
			}
		})
	}
}

// What was set aside is put back, undone and purged on a disk without a free block
// or inode. Doing it again does no harm.
func TestFullDiskMoves(t *testing.T) {
	for life, parts := range lives {
		t.Run(life, func(t *testing.T) {
			d, v := smallDisk(t)
			last := len(parts) - 1
			for _, part := range parts[:last] {
				must(t, part(v))
			}
			full := func(string, string) error {
				d.fill()
				return nil
			}
			d.fill() // and again at every step, with what the one before it has freed
			v.step = full
			for range 2 {
				if err := parts[last](v); err != nil {
					t.Error(err)
				}
				v.all(lifesEnd[life], life)
			}
			if left := v.leftovers(); life != "survives" && len(left) > 0 {
				t.Errorf("left in the trash: %q", left)
			}
		})
	}
}

// A put-back that has no volume to go to fails, and is repeated when there is one:
// a full disk keeps the engine from making it.
func TestFullDiskNoVolume(t *testing.T) {
	d, v := smallDisk(t)
	must(t, errors.Join(v.setAside(), v.engineRemoves()))
	d.fill()
	if err := v.engineMakes(); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := v.swapBack(); err == nil {
		t.Error("it was put back into nothing")
	}
	must(t, errors.Join(d.relieve(), v.engineMakes(), v.swapBack()))
	v.all(InVolume, "with room again")
}
