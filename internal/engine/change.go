package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/api/types/volume"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Start starts existing containers, in the given order, and reports all that
// do not start. One that runs or is gone is not an error.
func (c *Client) Start(ctx context.Context, ids []string) error {
	var errs []error
	for _, id := range ids {
		if err := c.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("start container %q: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// Stop stops containers, all at once, as each is configured to be stopped.
func (c *Client) Stop(ctx context.Context, ids []string) error {
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			if err := c.api.ContainerStop(ctx, id, container.StopOptions{}); err != nil && !errdefs.IsNotFound(err) {
				errs[i] = fmt.Errorf("stop container %q: %w", id, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Platform says what kind of machine the engine is.
func (c *Client) Platform(ctx context.Context) (inventory.Platform, error) {
	if err := c.ready(ctx); err != nil {
		return inventory.Platform{}, err
	}
	info, err := c.justSaid(ctx)
	if err != nil {
		return inventory.Platform{}, err
	}
	return inventory.Platform{ID: info.ID, OS: info.OperatingSystem, Root: info.DockerRootDir, Storage: info.Driver, Security: info.SecurityOptions}, nil
}

// CreateVolume makes a volume with the name, driver, options and labels of v,
// and returns it as the engine has it.
func (c *Client) CreateVolume(ctx context.Context, v inventory.Volume) (inventory.Volume, error) {
	if ctx.Err() != nil {
		return inventory.Volume{}, fmt.Errorf("create volume %q: %w", v.Name, ctx.Err())
	}
	asked := time.Now()
	ctx, cancel := outlast(ctx)
	defer cancel()
	made, err := c.api.VolumeCreate(ctx, volume.CreateOptions{Name: v.Name, Driver: v.Driver, DriverOpts: v.Options, Labels: v.Labels})
	if err != nil {
		return inventory.Volume{}, fmt.Errorf("create volume %q: %w", v.Name, err)
	}
	return c.volume(made, asked), nil
}

// RemoveVolume removes a volume that no container refers to. Where there is none
// of this name the error is inventory.ErrGone; inventory.ErrUnanswered if ctx
// ended and the engine was still busy with it a while later.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("remove volume %q: %w", name, ctx.Err())
	}
	ctx, cancel := outlast(ctx)
	defer cancel()
	err := c.api.VolumeRemove(ctx, name, false)
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		err = inventory.ErrGone
	case ctx.Err() != nil:
		err = inventory.ErrUnanswered
	}
	return fmt.Errorf("remove volume %q: %w", name, err)
}

// prunesAnonymous is the API version of Engine 23, from which on a prune takes
// only volumes that the engine named, unless it is told otherwise.
const prunesAnonymous = "1.42"

// PrunesOnlyAnonymous reports whether docker volume prune passes over volumes
// that somebody named. The engine must have been talked to before.
func (c *Client) PrunesOnlyAnonymous() bool {
	return versions.GreaterThanOrEqualTo(c.api.ClientVersion(), prunesAnonymous)
}

// PruneFilters are the label filters of the docker CLI's own configuration, but
// for those that the given ones contradict, as the CLI has it.
func (c *Client) PruneFilters(given []string) (out []string) {
	cfg := config.LoadDefaultConfigFile(io.Discard)
	if cfg == nil {
		return nil
	}
	for _, f := range cfg.PruneFilters {
		kind, rest, _ := strings.Cut(f, "=")
		opposite := map[string]string{"label": "label!", "label!": "label"}[kind]
		if opposite != "" && !slices.Contains(given, opposite+"="+rest) {
			out = append(out, f)
		}
	}
	return out
}
