package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/api/types/volume"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Describe says which engine answers.
func (c *Client) Describe(ctx context.Context) (inventory.Engine, error) {
	if err := c.ready(ctx); err != nil {
		return inventory.Engine{}, err
	}
	info, err := c.justSaid(ctx)
	if err != nil {
		return inventory.Engine{}, err
	}
	return inventory.Engine{
		ID: info.ID, Name: info.Name, Version: info.ServerVersion, APIVersion: c.api.ClientVersion(),
		Host: c.host, Context: c.context, Local: c.local, StableCreated: c.stableCreated(),
	}, nil
}

func (c *Client) stableCreated() bool {
	return c.podman || versions.GreaterThanOrEqualTo(c.api.ClientVersion(), stableCreatedAPI)
}

// Snapshot lists what the engine has, of every project, in one call per kind,
// all at once. Helpers that dead runs left behind are removed, and left out.
func (c *Client) Snapshot(ctx context.Context, scope inventory.Scope) (inventory.Snapshot, error) {
	if err := c.ready(ctx); err != nil {
		return inventory.Snapshot{}, err
	}
	var s inventory.Snapshot
	jobs := []func() error{
		func() (err error) { s.Containers, err = c.containers(ctx); return },
		func() (err error) { s.Volumes, _, err = c.volumes(ctx); return },
		func() (err error) { s.Networks, err = c.networks(ctx); return },
	}
	if scope.Images {
		jobs = append(jobs, func() (err error) { s.Images, err = c.images(ctx); return })
	}
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	for i, job := range jobs {
		wg.Go(func() { errs[i] = job() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return inventory.Snapshot{}, c.unreachable(err)
		}
	}
	if c.podman {
		identify(&s)
	}
	c.sweep(ctx, &s)
	return s, c.markNamed(ctx, scope.Project, &s)
}

// markNamed asks the engine, for containers of the project that mount a volume
// that looks anonymous, whether they mount it by name.
func (c *Client) markNamed(ctx context.Context, project string, s *inventory.Snapshot) error {
	if project == "" || c.podman { // Podman removes an anonymous volume however it is mounted
		return nil
	}
	anonymous := map[string]bool{}
	for _, v := range s.Volumes {
		anonymous[v.Name] = inventory.LooksAnonymous(v)
	}
	for i, con := range s.Containers {
		looks := slices.ContainsFunc(con.Mounts, func(m inventory.Mount) bool { return anonymous[m.Volume] })
		if con.Labels[inventory.LabelProject] != strings.ToLower(project) || !looks {
			continue
		}
		named, err := c.namedVolumes(ctx, con.ID)
		if err != nil {
			return c.unreachable(err)
		}
		for j, m := range con.Mounts {
			s.Containers[i].Mounts[j].Named = slices.Contains(named, m.Volume)
		}
	}
	return nil
}

func (c *Client) containers(ctx context.Context) ([]inventory.Container, error) {
	list, err := c.api.ContainerList(ctx, container.ListOptions{All: true})
	return containersOf(list), err
}

func containersOf(list []container.Summary) []inventory.Container {
	out := make([]inventory.Container, 0, len(list))
	for _, s := range list {
		con := inventory.Container{
			ID: s.ID, Name: canonicalName(s), Image: s.Image, ImageID: s.ImageID, State: s.State,
			Labels: s.Labels, Created: time.Unix(s.Created, 0),
		}
		for _, m := range s.Mounts {
			switch m.Type {
			case mount.TypeVolume:
				con.Mounts = append(con.Mounts, inventory.Mount{Volume: m.Name, Writable: m.RW})
			case mount.TypeBind:
				con.Mounts = append(con.Mounts, inventory.Mount{Source: m.Source, Writable: m.RW})
			}
		}
		if s.NetworkSettings != nil {
			for _, n := range s.NetworkSettings.Networks {
				con.Networks = append(con.Networks, n.NetworkID)
			}
		}
		out = append(out, con)
	}
	return out
}

// canonicalName is the container's own name and not a link's alias.
func canonicalName(s container.Summary) string {
	for _, name := range s.Names {
		if strings.LastIndexByte(name, '/') == 0 {
			return name[1:]
		}
	}
	return s.ID[:min(12, len(s.ID))]
}

// volumes is Volumes of an engine that has answered before.
func (c *Client) volumes(ctx context.Context) (volumes []inventory.Volume, whole bool, err error) {
	asked := time.Now()
	list, err := c.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, false, err
	}
	volumes = make([]inventory.Volume, 0, len(list.Volumes))
	for _, v := range list.Volumes {
		volumes = append(volumes, c.volume(*v, asked))
	}
	return volumes, len(list.Warnings) == 0, nil
}

// volume is what the engine said about a volume when asked at that time.
func (c *Client) volume(v volume.Volume, asked time.Time) inventory.Volume {
	vol := inventory.Volume{Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Labels: v.Labels, Options: v.Options}
	vol.Created, _ = time.Parse(time.RFC3339, v.CreatedAt)
	if vol.Here = c.here(vol, asked); vol.Here {
		vol.Born = birth(v.Mountpoint)
	}
	return vol
}

func (c *Client) networks(ctx context.Context) ([]inventory.Network, error) {
	list, err := c.api.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make([]inventory.Network, 0, len(list))
	for _, n := range list {
		out = append(out, inventory.Network{ID: n.ID, Name: n.Name, Created: n.Created, Labels: n.Labels})
	}
	return out, nil
}

func (c *Client) images(ctx context.Context) ([]inventory.Image, error) {
	list, err := c.api.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make([]inventory.Image, 0, len(list))
	for _, i := range list {
		img := inventory.Image{ID: i.ID, Labels: i.Labels, Created: time.Unix(i.Created, 0), Size: i.Size}
		for _, tag := range i.RepoTags {
			if tag != "<none>:<none>" {
				img.Tags = append(img.Tags, shortTag(tag))
			}
		}
		out = append(out, img)
	}
	return out, nil
}

// namedVolumes returns the volumes that the container's configuration refers to
// by name. The engine keeps those when the container is removed.
func (c *Client) namedVolumes(ctx context.Context, id string) ([]string, error) {
	con, err := c.api.ContainerInspect(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inspect container %q: %w", id, err)
	}
	return namedIn(con), nil
}

func namedIn(con container.InspectResponse) (names []string) {
	if con.ContainerJSONBase == nil || con.HostConfig == nil {
		return nil
	}
	for _, bind := range con.HostConfig.Binds {
		source, _, _ := strings.Cut(bind, ":")
		names = append(names, source)
	}
	for _, m := range con.HostConfig.Mounts {
		if m.Type == mount.TypeVolume && m.Source != "" {
			names = append(names, m.Source)
		}
	}
	return names
}
