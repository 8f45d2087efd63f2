package trash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPowerCut cuts the power, or kills the process, at every step of each life,
// and cuts the power at random moments of it. The data is then in one place, and
// complete; settling puts it where it belongs; and that is durable: the power is
// cut again as soon as it is settled.
func TestPowerCut(t *testing.T) {
	d := newDisk(t, "32M")
	trials, found := 0, map[Where]int{}
	trial := func(c *cutting) (came bool) {
		trials++
		c.disk, c.number, c.found = d, trials, found
		return c.trial(t)
	}
	for life := range lives {
		var whole time.Duration
		for step, came := 0, true; came; step++ {
			trial(&cutting{life: life, at: step})
			c := &cutting{life: life, at: step, killed: true}
			came = trial(c)
			whole = c.took
		}
		for range 15 {
			trial(&cutting{life: life, at: anyMoment, moment: rand.N(whole)})
		}
	}
	t.Logf("%d trials; after the cut, the volumes' data was in: %v", trials, found)
}

const anyMoment = -1

// cutting is one trial.
type cutting struct {
	disk   *disk
	number int
	found  map[Where]int // counts where the data was after the cut
	life   string
	at     int           // the step before which it happens, or anyMoment
	moment time.Duration // since the beginning: no wait for anything
	killed bool          // the process is killed, and the disk goes on

	took  time.Duration // to live
	mu    sync.Mutex
	steps int
	step  string // the one at which it was stopped
	dead  bool
	over  atomic.Int32 // how many parts of its life are
}

func (c *cutting) String() string {
	if c.at == anyMoment {
		return fmt.Sprintf("%s, power cut after %v", c.life, c.moment)
	}
	return fmt.Sprintf("%s, step %d (%s), killed: %t", c.life, c.at, c.step, c.killed)
}

// trial reports whether the step was come to.
func (c *cutting) trial(t *testing.T) (came bool) {
	t.Helper()
	v := makeVolumes(t, c.disk, 20, fmt.Sprintf("a%d", c.number), fmt.Sprintf("b%d", c.number), fmt.Sprintf("c%d", c.number))
	acknowledged := c.run(v)
	if !c.killed {
		c.disk.again()
	}
	found := v.places()
	parts := int32(len(lives[c.life]))
	for name, where := range found {
		c.found[where]++
		purging := c.life == "purged" && c.over.Load() >= parts-1
		if (where == Nowhere || where == Ending) && !purging ||
			where == InVolume && c.life == "purged" && acknowledged > 0 ||
			where != lifesEnd[c.life] && acknowledged == parts {
			t.Errorf("%v: %d of %d parts were over, and the data of volume %s is in: %s", c, acknowledged, parts, name, where)
		}
	}
	c.settle(v)
	settled := v.places()
	c.disk.cut()
	c.disk.again()
	if is := v.places(); !maps.Equal(is, settled) {
		t.Errorf("%v: it was found in %v and settled in %v; after another cut it is in %v", c, found, settled, is)
	}
	c.clear(v)
	return c.dead
}

// run lets a process live until it is stopped, and returns how many parts of its
// life were over by then. What it hears after the cut does not count: without power
// it would hear nothing.
func (c *cutting) run(v *volumes) (over int32) {
	if c.at != anyMoment {
		v.step = c.stop
	}
	begun, done := time.Now(), make(chan struct{})
	go func() {
		defer close(done)
		for _, part := range lives[c.life] {
			err := part(v)
			if c.dead {
				return
			}
			if err != nil {
				if c.at != anyMoment {
					v.t.Errorf("%v: %v", c, err)
				}
				return
			}
			c.over.Add(1)
		}
	}()
	if c.at == anyMoment {
		select {
		case <-time.After(c.moment):
		case <-done:
		}
		over = c.over.Load()
		c.disk.cut()
		<-done
		return over
	}
	<-done
	c.took = time.Since(begun)
	if !c.dead && !c.killed { // all that was done is durable
		c.disk.cut()
	}
	return c.over.Load()
}

// stop stops the process before a step. A dead process takes none.
func (c *cutting) stop(step, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.steps == c.at {
		c.dead, c.step = true, step
		if !c.killed {
			c.disk.cut()
		}
	}
	c.steps++
	if c.dead {
		runtime.Goexit()
	}
	return nil
}

// settle does what is done about an operation that was cut off.
func (c *cutting) settle(v *volumes) {
	v.t.Helper()
	v.step = nil
	p := c.disk.place()
	if c.life == "survives" {
		if _, err := PutBack(context.Background(), p, op, v.names); err != nil {
			v.t.Errorf("%v: %v", c, err)
		}
		v.all(InVolume, c.String())
		return
	}
	for _, f := range p.must(v.t, Request{Action: DoLocate, Items: v.items(true)}).Found {
		action := DoPutBack
		switch {
		case f.Where == Ending, f.Where == Nowhere:
			action = DoPurge
		case f.Where == InTrash && !f.Made:
			continue // it can be undone
		}
		f = p.must(v.t, Request{Action: action, Items: []Item{f.Item}}).Found[0]
		if want := map[string]Where{DoPutBack: InVolume, DoPurge: Nowhere}[action]; f.Error != "" || f.Where != want {
			v.t.Errorf("%v: %s: %+v", c, action, f)
		}
	}
}

// clear purges what is left, and nothing of it stays in the trash.
func (c *cutting) clear(v *volumes) {
	v.t.Helper()
	if err := v.purge(); err != nil {
		v.t.Errorf("%v: %v", c, err)
	}
	if left := v.leftovers(); len(left) > 0 {
		v.t.Errorf("%v: left in the trash: %q", c, left)
	}
	for _, dir := range []string{trashDir, volumesDir} {
		must(v.t, os.RemoveAll(filepath.Join(c.disk.place().Root, dir)))
	}
}
