package cli

import (
	"context"
	"time"

	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/watch"
)

// The types of the engine and of the screens, as the interfaces of its users name them.

// exporting is the engine of exports and restores.
type exporting struct{ *engine.Client }

var _ export.Engine = exporting{}

// Helper makes a helper.
func (e exporting) Helper(ctx context.Context, name, lock string, volumes []string, readOnly bool) (export.Helper, error) {
	h, err := e.Client.Helper(ctx, name, lock, volumes, readOnly)
	if err != nil {
		return nil, err
	}
	return h, nil
}

// events is the engine of a teardown that follows it.
type events struct{ *engine.Client }

var _ teardown.Events = events{}

// Watch follows the engine.
func (e events) Watch(ctx context.Context) teardown.Watcher { return e.Client.Watch(ctx) }

// followed gives the engine's events their type.
type followed struct{ *engine.Client }

var _ watch.Engine = followed{}

// Follow calls visit with every event of a volume.
func (f followed) Follow(ctx context.Context, ready func(), visit func(watch.Event)) error {
	return f.Client.Follow(ctx, ready, func(name string, destroyed bool, at time.Time) {
		visit(watch.Event{Volume: name, Destroyed: destroyed, At: at})
	})
}

// progress is the screen's, as exports know it.
type progress struct{ *render.Progress }

// Volume begins with one volume.
func (p progress) Volume(name string, bytes int64) export.Bar { return p.Progress.Volume(name, bytes) }
