package fake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// Where volumes are directories, each has a file that says which one it is.
const markName = "birth"

func (w *World) data(name string) string { return filepath.Join(w.Root, "volumes", name, "_data") }

// lay makes the directory of a volume.
func (w *World) lay(v *Volume) {
	if w.Root == "" {
		return
	}
	v.Mountpoint = w.data(v.Name)
	w.must(os.MkdirAll(v.Mountpoint, 0o755))
	if len(v.Content) > 0 {
		w.must(os.WriteFile(filepath.Join(v.Mountpoint, markName), []byte(strconv.Itoa(v.Birth)), 0o644))
	}
}

// bare empties the directory of a volume that was just made.
func (w *World) bare(name string) {
	if w.Root != "" {
		w.must(os.Remove(filepath.Join(w.data(name), markName)))
	}
}

// clear removes the directory of a volume, with what the engine finds in it.
func (w *World) clear(name string) {
	if w.Root != "" {
		w.must(os.RemoveAll(filepath.Dir(w.data(name))))
	}
}

func (w *World) must(err error) {
	if err != nil {
		w.T.Errorf("fake: %v", err)
	}
}

// seen is a volume as the engine tells of it. When data is renamed in or out, the
// directory around it changes, and with it the time that passes for that of its
// making.
func (w *World) seen(name string) inventory.Volume {
	v := w.volumes[name].Volume
	if w.Root == "" {
		return v
	}
	if _, err := os.Stat(v.Mountpoint); err != nil && !w.Engine.StableCreated {
		v.Created, v.Born = time.Time{}, time.Time{} // the engine cannot tell
	}
	return v
}

// other is a file that is not the mark.
const other = "other"

// Write writes a file into a volume, as another hand does.
func (w *World) Write(volume, text string) {
	w.must(os.WriteFile(filepath.Join(w.data(volume), other), []byte(text), 0o644))
}

// Written is what Write wrote.
func (w *World) Written(volume string) string {
	text, _ := os.ReadFile(filepath.Join(w.data(volume), other)) // none: ""
	return string(text)
}

// Trash opens the trash of the world, as this process sees it.
func (p *Process) Trash(context.Context, string, []inventory.Volume) (trash.Opened, error) {
	return trash.Opened{Shelf: shelf{p}, Root: p.Root}, nil
}

// shelf is the real one, with a step of the process before and after everything
// that it does.
type shelf struct{ *Process }

// Do performs a request.
func (s shelf) Do(ctx context.Context, r trash.Request) (out trash.Response, err error) {
	err = s.Process.Do(ctx, "trash "+r.Action, func() error { return nil })
	if err != nil {
		return out, err
	}
	place := trash.Place{Root: s.Root, TestOnlyAt: func(step, volume string) error {
		err := s.Process.Do(ctx, "trash: "+step, func() error { return nil })
		if err == nil {
			s.World.mu.Lock()
			defer s.World.mu.Unlock()
			s.moved(step, volume)
		}
		return err
	}}
	out, err = place.Do(ctx, r)
	if err != nil {
		return out, err
	}
	return out, s.Process.Do(ctx, "trash done", func() error { return nil })
}

// moved notes what is about to be moved.
func (s shelf) moved(step, volume string) {
	if s.aside == nil {
		s.aside = map[string]bool{}
	}
	switch step {
	case "set aside":
		if s.op == nil || !s.op.durable || s.op.outcome != nil {
			s.T.Errorf("volume %s is set aside without a durable pending event", volume)
		} else if !details(s.op.pending).keeps(volume) {
			s.T.Errorf("volume %s is set aside, and the pending event does not say so", volume)
		}
		s.aside[volume] = true
	case "put back":
		delete(s.aside, volume)
	default:
		return
	}
	if v := s.volumes[volume]; v != nil {
		v.Created = Epoch.Add(time.Duration(s.next()) * time.Second)
	}
}

// Places are where the data of a volume is, by its birth: paths below the
// engine's data directory.
func (w *World) Places() map[int][]string {
	out := map[int][]string{}
	for _, pattern := range []string{"volumes/*/_data", "ccdestroy-trash/v1/*/*/_data"} {
		found, _ := filepath.Glob(filepath.Join(w.Root, pattern, markName))
		for _, path := range found {
			text, err := os.ReadFile(path)
			birth, bad := strconv.Atoi(string(text))
			if err != nil || bad != nil {
				w.T.Errorf("fake: %s: %v, %v", path, err, bad)
			}
			where, _ := filepath.Rel(w.Root, filepath.Dir(path))
			out[birth] = append(out[birth], where)
		}
	}
	return out
}

// checkData fails the test where data is in two places, or where what an outcome
// says of the trash is not so.
func (p *Process) checkData() {
	p.T.Helper()
	if p.Root == "" {
		return
	}
	places := p.Places()
	for birth, at := range places {
		if len(at) > 1 {
			p.T.Errorf("the data of %d is in %q", birth, at)
		}
	}
	if p.op == nil || p.op.outcome == nil {
		return
	}
	d := details(*p.op.outcome)
	told := map[string]bool{}
	for _, k := range d.Kept {
		told[k.Name] = true
		if _, err := os.Stat(filepath.Join(p.Root, "ccdestroy-trash/v1", p.op.id, k.Name, "_data")); err != nil {
			p.T.Errorf("%s: volume %s is recorded as kept, and is not: %v", p.op.outcome.Outcome, k.Name, err)
		}
	}
	for _, at := range places {
		if rest, in := strings.CutPrefix(at[0], fmt.Sprintf("ccdestroy-trash/v1/%s/", p.op.id)); in && !told[filepath.Dir(rest)] {
			p.T.Errorf("%s: volume %s is kept, and is not recorded so", p.op.outcome.Outcome, filepath.Dir(rest))
		}
	}
	for name, v := range p.volumes {
		if _, err := os.Stat(v.Mountpoint); err != nil {
			p.T.Errorf("%s: volume %s is there without its data: %v", p.op.outcome.Outcome, name, err)
		}
	}
}
