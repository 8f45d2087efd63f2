package e2e

import (
	"fmt"
	"sync"
)

// summary is what all worlds saw.
type summary struct {
	mu                                 sync.Mutex // guards all
	acts, operations                   int
	destroyed, byFoe                   int
	unseen                             int // came and went as an operation was killed
	silent                             int // went as it was killed, without a word of the engine
	endings, exits, violations, phases map[string]int
}

func (c *summary) String() string {
	return fmt.Sprintf("%d operations against %d acts of the adversary; exits %v\nkilled: %v\nrecords: %v\n%d volumes destroyed, %d of them by the adversary, %d unseen, %d silent\nviolations: %v",
		c.operations, c.acts, c.exits, c.phases, c.endings, c.destroyed, c.byFoe, c.unseen, c.silent, c.violations)
}

func bump(counts *map[string]int, what string) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[what]++
}

func (c *summary) violated(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bump(&c.violations, "it "+what)
}

// passed counts a loss that nobody can know of.
func (c *summary) passed(kind *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*kind++
}

func (c *summary) count(w *world, losses []loss, claims []claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acts += w.foe.acts
	for _, r := range w.ran {
		c.operations++
		bump(&c.exits, fmt.Sprint(r.code))
		if r.killed != "" {
			bump(&c.phases, r.killed)
		}
	}
	for _, l := range losses {
		if l.whose == w.name {
			c.destroyed++
			if l.byFoe {
				c.byFoe++
			}
		}
	}
	for _, e := range claims {
		bump(&c.endings, e.Operation+" "+e.Outcome)
	}
}
