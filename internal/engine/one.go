package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Volume looks at one volume. found is false when the engine knows none of this
// name.
func (c *Client) Volume(ctx context.Context, name string) (v inventory.Volume, found bool, err error) {
	if err := c.ready(ctx); err != nil {
		return v, false, err
	}
	asked := time.Now()
	got, err := c.api.VolumeInspect(ctx, name)
	switch {
	case errdefs.IsNotFound(err):
		return v, false, nil
	case err != nil:
		return v, false, c.unreachable(err)
	}
	return c.volume(got, asked), true, nil
}

// Users are the containers, in any state, that refer to a volume.
func (c *Client) Users(ctx context.Context, volume string) ([]inventory.Container, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	list, err := c.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("volume", volume))})
	if err != nil {
		return nil, c.unreachable(err)
	}
	return containersOf(list), nil
}

// Riding are the volumes that the engine removes with a container where that is
// asked for: those that it does not mount by name. found is false when the engine
// knows no container by this reference.
func (c *Client) Riding(ctx context.Context, reference string) (con inventory.Container, volumes []string, found bool, err error) {
	if err := c.ready(ctx); err != nil {
		return con, nil, false, err
	}
	got, err := c.api.ContainerInspect(ctx, reference)
	switch {
	case errdefs.IsNotFound(err):
		return con, nil, false, nil
	case err != nil:
		return con, nil, false, fmt.Errorf("inspect container %q: %w", reference, err)
	}
	con = inventory.Container{ID: got.ID, Name: strings.TrimPrefix(got.Name, "/")}
	if got.State != nil {
		con.State = got.State.Status
	}
	if got.Config != nil {
		con.Labels = got.Config.Labels
	}
	named := namedIn(got)
	for _, m := range got.Mounts {
		if m.Type == mount.TypeVolume && !slices.Contains(named, m.Name) {
			volumes = append(volumes, m.Name)
		}
	}
	return con, volumes, true, nil
}
