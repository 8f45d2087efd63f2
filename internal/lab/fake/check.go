package fake

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// Check fails the test where a process that has ended, or was killed, left behind
// what it must not, or recorded what is not so.
func (p *Process) Check() {
	p.T.Helper()
	p.checkLocks()
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	p.checkData()
	if p.Killed() {
		p.watchers = map[*Watcher]bool{} // they went with it
		return
	}
	if len(p.watchers) > 0 {
		p.T.Errorf("%d watchers were left", len(p.watchers))
	}
	if left := p.helpers(); len(left) > 0 && !p.helped {
		p.T.Errorf("%d helpers were left", len(left))
	}
	p.checkEnd()
}

// CheckSettled is Check of what was recorded for a process that was killed, by
// now.
func (p *Process) CheckSettled() {
	p.T.Helper()
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	if p.op != nil && p.op.outcome == nil {
		p.T.Errorf("it stays unfinished")
	}
	p.checkData()
	p.checkEnd()
}

func (p *Process) checkEnd() {
	p.T.Helper()
	if p.op != nil && p.op.outcome != nil {
		p.checkOutcome(*p.op.outcome)
	}
	open := p.op != nil && p.op.outcome == nil
	if p.op != nil && p.op.outcome != nil && p.op.outcome.Outcome == audit.Partial {
		return // what remains of the project stays as it is
	}
	if mine := p.mine(); len(mine) == 0 && p.removed == 0 && !open && !p.excused {
		for _, c := range p.containers {
			if c.stopped && p.ran[c.ID] {
				p.T.Errorf("container %s ran, and was left stopped", c.Name)
			}
		}
	}
}

// mine are the volumes that the process destroyed.
func (p *Process) mine() (names []string) {
	for _, d := range p.destroyed {
		if d.By == p {
			names = append(names, d.Name)
		}
	}
	return names
}

// checkOutcome holds an outcome against what was destroyed.
func (p *Process) checkOutcome(e audit.Event) {
	p.T.Helper()
	if e.Operation == audit.Purge { // the volumes were gone before
		return
	}
	gone := map[string]bool{} // since the process began
	for _, d := range p.destroyed {
		if d.At > p.began && (d.By == p || e.Operation == audit.Destroy) {
			gone[d.Name] = true
		}
	}
	for _, d := range p.destroyed {
		if d.By != p || p.Deaf && d.Birth > p.op.look { // which nothing shows
			continue
		}
		if name := d.Name; !slices.Contains(e.DataAffected, name) {
			p.T.Errorf("%s: volume %s was destroyed, and is not recorded: %q", e.Outcome, name, e.DataAffected)
		}
	}
	for i, name := range e.DataAffected {
		if !gone[name] && (!p.Loose || p.volumes[name] != nil) {
			p.T.Errorf("%s: volume %s is recorded as destroyed, and was not", e.Outcome, name)
		}
		if slices.Contains(e.DataAffected[:i], name) {
			p.T.Errorf("%s: volume %s is recorded twice", e.Outcome, name)
		}
	}
	if e.Outcome == audit.Cancelled && len(p.mine()) > 0 {
		p.T.Errorf("cancelled, and %q were destroyed", p.mine())
	}
}

// CheckSwept fails the test where a lock file or a helper is left of anything.
func (w *World) CheckSwept() {
	w.T.Helper()
	w.mu.Lock()
	if left := w.helpers(); len(left) > 0 {
		w.T.Errorf("helper %s was left", left[0].Name)
	}
	w.mu.Unlock()
	list, err := os.ReadDir(w.Log.Path + ".ops")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.T.Errorf("%v", err)
	}
	for _, entry := range list {
		if !strings.Contains(entry.Name(), "-") { // a project's keeps nobody out
			w.T.Errorf("the lock file of %s was left", entry.Name())
		}
	}
}

// CheckHistory holds the whole log against all that was ever destroyed: what a
// process of ours destroyed is in the record of that process, and every record
// tells of something that was destroyed while its operation was unfinished, and
// that no other record tells of.
func (w *World) CheckHistory() {
	w.T.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	told := map[int]string{} // by when it was destroyed
	for id, o := range w.operations {
		if o.outcome == nil {
			continue
		}
		for _, name := range o.outcome.DataAffected {
			at := w.end(name, o, told)
			if at == 0 {
				w.T.Errorf("%s of %s tells of volume %s, which was not destroyed then, or another record tells of it: %v", o.outcome.Outcome, id, name, w.destroyed)
			}
			told[at] = id
		}
	}
	for _, d := range w.destroyed {
		switch {
		case d.By == nil || told[d.At] != "":
		case d.By.op.outcome == nil:
			w.T.Errorf("volume %s was destroyed, and its operation is unfinished", d.Name)
		case d.Birth > d.By.op.look && (d.By.Killed() || d.By.mute || w.Deaf): // which nothing shows
		default:
			w.T.Errorf("volume %s was destroyed, and no record tells of it: %q", d.Name, d.By.op.outcome.DataAffected)
		}
	}
}

// end is when a volume was destroyed that an outcome tells of, 0 where it was not:
// by the operation itself, if so.
func (w *World) end(name string, o *operation, told map[int]string) (at int) {
	for _, d := range w.destroyed {
		if d.Name != name || told[d.At] != "" || d.At < o.from || d.At > o.to {
			continue
		}
		if at = d.At; d.By == o.by {
			return at
		}
	}
	return at
}

// checkLocks fails the test where a lock is held or left over.
func (p *Process) checkLocks() {
	p.T.Helper()
	dir := p.Log.Path + ".ops"
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		p.T.Error(err)
	}
	for _, entry := range list {
		l, free, err := durable.TryLockExisting(filepath.Join(dir, entry.Name()))
		if err != nil || !free {
			p.T.Errorf("lock %s: free %t, %v", entry.Name(), free, err)
			continue
		}
		_ = l.Unlock()
		switch id := entry.Name(); {
		case p.Killed():
		case strings.Contains(id, "-"):
			p.T.Errorf("the lock of project %s was left", id)
		case p.op != nil && id == p.op.id && p.Ended(id) && !p.unsure:
			p.T.Errorf("the lock of %s was left, which has an outcome", id)
		}
	}
}

// Ended reports whether an operation has an outcome in the log.
func (w *World) Ended(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over(id)
}

func (w *World) over(id string) bool {
	o := w.operations[id]
	return o != nil && o.outcome != nil
}

// Outcome is the process's own, "" where the log has none.
func (p *Process) Outcome() audit.Outcome {
	e, _ := p.Event()
	return e.Outcome
}

// Event is the newest event of the process's own operation.
func (p *Process) Event() (e audit.Event, found bool) {
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	switch {
	case p.op == nil:
		return e, false
	case p.op.outcome != nil:
		return *p.op.outcome, true
	}
	return p.op.pending, true
}

// Looked is when the process looked at what its pending event names.
func (p *Process) Looked() int {
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	if p.op == nil {
		return 0
	}
	return p.op.look
}
