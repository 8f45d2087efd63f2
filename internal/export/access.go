package export

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// access reads and writes single volumes for one operation: directly where this
// host sees their files, else through a helper.
type access struct {
	engine   Volumes
	platform inventory.Platform
	lock     string // path of the operation's
}

// fill writes the content and compares it with the archive.
func (a access) fill(ctx context.Context, e *archive.Export, t target, bar Bar) ([]string, error) {
	var err error
	if t.volume.Here && direct(a.platform) {
		err = e.ToDir(ctx, t.from, t.volume.Mountpoint)
	} else {
		err = a.helped(ctx, t.volume.Name, false, func(h Helper) error { return a.send(ctx, e, h, t.from) })
	}
	if err != nil {
		return nil, err
	}
	bar.Verify()
	return a.differences(ctx, e, t.from, t.volume)
}

// differences tells how a volume differs from what the archive holds.
func (a access) differences(ctx context.Context, e *archive.Export, from archive.Volume, is inventory.Volume) (out []string, err error) {
	e.Read = nil
	if is.Here && direct(a.platform) {
		return e.CompareDir(ctx, from, is.Mountpoint)
	}
	err = a.helped(ctx, is.Name, true, func(h Helper) error {
		got, dir, err := h.Read(ctx, 0)
		if err != nil {
			return err
		}
		defer got.Close()
		out, err = e.CompareStream(ctx, from, got, dir)
		return err
	})
	return out, err
}

// send unpacks an archive through the helper.
func (a access) send(ctx context.Context, e *archive.Export, h Helper, v archive.Volume) error {
	in, out := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := e.ToStream(ctx, v, out, h.Dir(0))
		out.CloseWithError(err)
		sent <- err
	}()
	err := h.Write(ctx, in)
	in.Close() // the other side may still send; nothing reads it any more
	if mine := <-sent; mine != nil && !errors.Is(mine, io.ErrClosedPipe) {
		return mine
	}
	return err
}

// helped does something with a helper that has one volume.
func (a access) helped(ctx context.Context, volume string, readOnly bool, do func(Helper) error) error {
	h, err := a.engine.Helper(ctx, helperName(a.lock), a.lock, []string{volume}, readOnly)
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Remove(context.WithoutCancel(ctx)))
}

// empty reports whether a volume holds nothing.
func (a access) empty(ctx context.Context, v inventory.Volume) (empty bool, err error) {
	if v.Here && direct(a.platform) {
		list, err := os.ReadDir(v.Mountpoint)
		return len(list) == 0, err
	}
	err = a.helped(ctx, v.Name, true, func(h Helper) error {
		in, dir, err := h.Read(ctx, 0)
		if err != nil {
			return err
		}
		defer in.Close()
		empty, err = archive.Empty(ctx, in, dir)
		return err
	})
	return empty, err
}
