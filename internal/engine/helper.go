package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// helperImage has no layer and no file: a helper is never started.
const helperImage = "ccdestroy-helper:1"

// Helper is a container that is never started. The engine's archive API reads
// and writes, through it, volumes that this host cannot look at.
//
// While it exists the engine removes none of its volumes. A crash leaves it
// behind; its labels say whose it was, so that a later run can remove it.
type Helper struct {
	api    *client.Client
	id     string
	podman bool
}

// Dir is where the helper has its volume number i, from 0: ahead of every name in
// a tar for Write.
func (h *Helper) Dir(i int) string { return fmt.Sprintf("vol%04d/", i+1) }

// Helper makes a helper with the volumes, which must exist: the engine would
// silently create missing ones. lock is the path of the lock that is held for as long
// as it is needed.
func (c *Client) Helper(ctx context.Context, name, lock string, volumes []string, readOnly bool) (*Helper, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	if err := c.load(ctx, localImage{tag: helperImage, made: time.Now()}); err != nil {
		return nil, fmt.Errorf("helper image: %w", err)
	}
	h := &Helper{api: c.api, podman: c.podman}
	host := &container.HostConfig{NetworkMode: "none"}
	for i, v := range volumes {
		host.Mounts = append(host.Mounts, mount.Mount{
			Type: mount.TypeVolume, Source: v, Target: "/" + strings.TrimSuffix(h.Dir(i), "/"), ReadOnly: readOnly, VolumeOptions: &mount.VolumeOptions{NoCopy: true},
		})
	}
	made, err := c.api.ContainerCreate(ctx, &container.Config{
		Image: helperImage, Cmd: []string{"/never-started"}, Labels: helperLabels(lock),
	}, host, nil, nil, name)
	if err != nil {
		return nil, fmt.Errorf("helper container: %w", err)
	}
	h.id = made.ID
	return h, nil
}

// helperLabels say of a helper whose it is: of the operation whose lock is at this path.
func helperLabels(lock string) map[string]string {
	return map[string]string{
		inventory.LabelHelper: "true", inventory.LabelHelperLock: lock, inventory.LabelHelperHost: hostname(), "io.ccdestroy.created": time.Now().UTC().Format(time.RFC3339),
	}
}

// Read returns volume number i as a tar, below dir. A tar that breaks off is the only
// sign of an error on the way: by then the engine has answered 200.
func (h *Helper) Read(ctx context.Context, i int) (r io.ReadCloser, dir string, err error) {
	if dir = h.Dir(i); h.podman {
		dir = "/"
	}
	r, _, err = h.api.CopyFromContainer(ctx, h.id, "/"+strings.TrimSuffix(h.Dir(i), "/"))
	return r, dir, err
}

// Write unpacks a tar whose entries lie below Dir of their volumes.
func (h *Helper) Write(ctx context.Context, tar io.Reader) error {
	return h.api.CopyToContainer(ctx, h.id, "/", tar, container.CopyToContainerOptions{})
}

// Remove removes the helper. Every tar that it gave must be closed before.
func (h *Helper) Remove(ctx context.Context) error {
	return removeContainer(ctx, h.api, h.id)
}

// removeLimit is how long the engine may take to remove a helper, which must go
// even after a signal. A later run removes one that stays.
const (
	removeLimit = 30 * time.Second
	removePoll  = 50 * time.Millisecond
)

func removeContainer(ctx context.Context, api *client.Client, id string) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	for {
		err := api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if !errdefs.IsConflict(err) {
			return err
		}
		select { // another process is removing it
		case <-ctx.Done():
			return err
		case <-time.After(removePoll):
		}
	}
}

// helperLife is how old a helper must be to count as a leftover if nothing here shows
// whether it is still needed, as for one of another host.
const helperLife = 7 * 24 * time.Hour

func hostname() string {
	name, _ := os.Hostname() // without one it belongs to another host
	return name
}

// sweep removes helpers that are no longer needed.
func (c *Client) sweep(ctx context.Context, s *inventory.Snapshot) {
	kept := s.Containers[:0]
	for _, con := range s.Containers {
		if con.State != "removing" && leftover(con) && removeContainer(ctx, c.api, con.ID) == nil {
			continue
		}
		kept = append(kept, con)
	}
	s.Containers = kept
}

// Sweep removes the helper of an operation that is dead, and whose lock, at this
// path, is held by whoever settles it.
func (c *Client) Sweep(ctx context.Context, lock string) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	list, err := c.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", inventory.LabelHelper+"=true"), filters.Arg("label", inventory.LabelHelperLock+"="+lock),
	)})
	if err != nil {
		return c.unreachable(err)
	}
	for _, con := range list {
		if !isHelper(con.Labels, con.Image) {
			continue
		}
		if err := removeContainer(ctx, c.api, con.ID); err != nil {
			return fmt.Errorf("remove the helper %q: %w", con.ID, err)
		}
	}
	return nil
}

// isHelper reports whether a container is one of ours. Anybody's compose file or
// image can have our labels: what they are on is removed only where it is made
// from an image of ours.
func isHelper(labels map[string]string, image string) bool {
	for _, registry := range []string{"localhost/", "docker.io/library/"} { // Podman's words for none
		image = strings.TrimPrefix(image, registry)
	}
	return labels[inventory.LabelHelper] == "true" && (image == helperImage || strings.HasPrefix(image, selfImage))
}

// leftover reports whether the container is a helper of an operation that is
// dead, whose lock is free, or over: its lock is gone from the directory where it
// was.
func leftover(c inventory.Container) bool {
	if !isHelper(c.Labels, c.Image) {
		return false
	}
	path := c.Labels[inventory.LabelHelperLock]
	l, free, err := durable.TryLockExisting(path)
	here := path != "" && hostname() != "" && c.Labels[inventory.LabelHelperHost] == hostname()
	if here && errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return err == nil
	}
	if err != nil {
		return time.Since(c.Created) > helperLife
	}
	if free {
		_ = l.Unlock()
	}
	return free
}
