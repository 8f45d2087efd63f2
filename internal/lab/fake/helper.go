package fake

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Helper is a container that is never started, by which volumes are read and
// written. While it is there none of them can be removed.
type Helper struct {
	p       *Process
	id      string
	volumes []string
	open    int // what was read and not closed
}

// Helper makes one. The test fails when a volume is not there, since the engine
// would make it, or when nobody holds the lock.
func (p *Process) Helper(ctx context.Context, name, lock string, volumes []string, readOnly bool) (h *Helper, err error) {
	if l, free, err := durable.TryLockExisting(lock); err != nil || free {
		if free {
			_ = l.Unlock()
		}
		p.T.Errorf("helper %s: its lock is free: %t, %v", name, free, err)
	}
	err = p.Do(ctx, "helper", func() error {
		c := &Container{Container: inventory.Container{
			ID: "helper-" + name, Name: name, State: "created", Labels: map[string]string{inventory.LabelHelper: "true", inventory.LabelHelperLock: lock},
		}}
		if p.containers[c.ID] != nil {
			return fmt.Errorf("helper %s is there already", name)
		}
		for _, v := range volumes {
			if p.volumes[v] == nil {
				return fmt.Errorf("helper: volume %q does not exist", v)
			}
			c.Mounts = append(c.Mounts, inventory.Mount{Volume: v, Writable: !readOnly})
		}
		p.containers[c.ID] = c
		h = &Helper{p: p, id: c.ID, volumes: volumes}
		return nil
	})
	p.failed(err)
	return h, err
}

// failed notes that a helper may be left, for whoever looks next.
func (p *Process) failed(err error) {
	p.World.mu.Lock()
	defer p.World.mu.Unlock()
	p.helped = p.helped || err != nil
}

// helpers are those that there are.
func (w *World) helpers() (left []*Container) {
	for _, c := range w.containers {
		if c.Labels[inventory.LabelHelper] != "" {
			left = append(left, c)
		}
	}
	return left
}

// sweep removes helpers that nobody needs any more: their lock is free, or it is
// that of an operation that is dead.
func (w *World) sweep(dead string) {
	for _, c := range w.helpers() {
		l, free, err := durable.TryLockExisting(c.Labels[inventory.LabelHelperLock])
		if free {
			_ = l.Unlock()
		}
		if free || err != nil || c.Labels[inventory.LabelHelperLock] == dead {
			delete(w.containers, c.ID)
		}
	}
}

// Dir is where volume number i is in a tar.
func (h *Helper) Dir(i int) string { return fmt.Sprintf("vol%04d/", i+1) }

// Read returns a volume as a tar.
func (h *Helper) Read(ctx context.Context, i int) (io.ReadCloser, string, error) {
	var out bytes.Buffer
	err := h.p.Do(ctx, "helper read", func() error {
		w := tar.NewWriter(&out)
		v := h.p.volumes[h.volumes[i]]
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: h.Dir(i), Mode: 0o755, ModTime: Epoch})
		for _, name := range slices.Sorted(maps.Keys(v.Content)) {
			data := v.Content[name]
			err = errors.Join(err, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: h.Dir(i) + name, Mode: 0o644, Size: int64(len(data)), ModTime: Epoch}))
			_, more := w.Write([]byte(data))
			err = errors.Join(err, more)
		}
		h.open++
		return errors.Join(err, w.Close())
	})
	s := &stream{&out, h}
	if err != nil {
		if out.Len() > 0 {
			_ = s.Close()
		}
		return nil, "", err
	}
	return s, h.Dir(i), nil
}

// stream is what is read.
type stream struct {
	io.Reader
	h *Helper
}

// Close ends it.
func (s *stream) Close() error {
	s.h.p.World.mu.Lock()
	defer s.h.p.World.mu.Unlock()
	s.h.open--
	return nil
}

// Write unpacks a tar.
func (h *Helper) Write(ctx context.Context, in io.Reader) error {
	files := map[string]string{} // by volume's directory and name
	for r := tar.NewReader(in); ; {
		head, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if head.Typeflag == tar.TypeReg {
			files[head.Name] = string(data)
		}
	}
	return h.p.Do(ctx, "helper write", func() error {
		for name, data := range files {
			for i, volume := range h.volumes {
				if rest, in := strings.CutPrefix(name, h.Dir(i)); in {
					h.p.volumes[volume].Content[rest] = data
				}
			}
		}
		return nil
	})
}

// Remove removes it. What Read gave is closed before.
func (h *Helper) Remove(ctx context.Context) error {
	err := h.p.Do(ctx, "helper remove", func() error {
		if h.open > 0 {
			h.p.T.Errorf("helper %s was removed while it was read", h.id)
		}
		delete(h.p.containers, h.id)
		return nil
	})
	h.p.failed(err)
	return err
}
