package engine

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// here reports whether the volume's files may be looked at directly: they are
// the engine's own and not a mount, and they are on this host. An engine
// in a virtual machine has a local socket, too, and its paths may exist here, with
// another engine's files; so the directory must be of the age that the engine
// reports.
func (c *Client) here(v inventory.Volume, asked time.Time) bool {
	if !c.local || v.Driver != "local" || len(v.Options) > 0 || v.Mountpoint == "" {
		return false
	}
	dir := v.Mountpoint
	if c.stableCreated() {
		dir = filepath.Dir(dir)
	}
	at := changed(dir)
	return at.Truncate(time.Second).Equal(v.Created) || !c.stableCreated() && at.After(asked)
}

// Reaches reports whether this process can move directories of the engine's
// volumes, at the paths that the engine names: as root, on its host. The volumes
// are examples of these; without any, a volume of the engine serves as one.
func (c *Client) Reaches(ctx context.Context, p inventory.Platform, volumes []inventory.Volume) bool {
	if os.Geteuid() != 0 || !c.local || runtime.GOOS != "linux" {
		return false
	}
	for _, option := range p.Security {
		if strings.HasPrefix(option, "name=rootless") { // its files are another account's
			return false
		}
	}
	if len(volumes) == 0 {
		id, err := os.ReadFile(filepath.Join(p.Root, "engine-id")) // Engine 23 and later
		if err == nil && p.ID != "" && strings.TrimSpace(string(id)) == p.ID {
			return true
		}
		if volumes, _, err = c.Volumes(ctx); err != nil {
			return false
		}
	}
	plain := func(v inventory.Volume) bool { return v.Driver == "local" && len(v.Options) == 0 }
	return slices.ContainsFunc(volumes, func(v inventory.Volume) bool { return v.Here }) &&
		!slices.ContainsFunc(volumes, func(v inventory.Volume) bool { return plain(v) && !v.Here && strings.HasPrefix(v.Mountpoint, p.Root) })
}

// Measure sums up the volumes whose files this host can read, several at once,
// and asks the engine for the others. The engine walks every volume, image and
// container for that, so it is asked last, and only once. Sizes that are not
// there when ctx ends are left out.
func (c *Client) Measure(ctx context.Context, volumes []inventory.Volume) map[string]inventory.Size {
	sizes := map[string]inventory.Size{}
	var mu sync.Mutex // guards sizes and unread
	unread := map[string]bool{}
	todo := make(chan inventory.Volume)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for v := range todo {
				size, ok := inventory.Size{}, false
				if v.Here {
					size, ok = walk(ctx, v.Mountpoint)
				}
				mu.Lock()
				if ok {
					sizes[v.Name] = size
				} else if len(v.Options) == 0 {
					unread[v.Name] = true
				}
				mu.Unlock()
			}
		})
	}
	for _, v := range volumes {
		todo <- v
	}
	close(todo)
	wg.Wait()
	if len(unread) > 0 && ctx.Err() == nil {
		c.askSizes(ctx, unread, sizes)
	}
	return sizes
}

func (c *Client) askSizes(ctx context.Context, unread map[string]bool, sizes map[string]inventory.Size) {
	usage, err := c.api.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if err != nil {
		return
	}
	for _, v := range usage.Volumes {
		if unread[v.Name] && v.UsageData != nil && v.UsageData.Size >= 0 {
			sizes[v.Name] = inventory.Size{Bytes: v.UsageData.Size}
		}
	}
}

// walk sums the lengths of the files under dir, hard links once, as the engine
// counts. It gives up when ctx ends or when anything cannot be read.
func walk(ctx context.Context, dir string) (size inventory.Size, ok bool) {
	seen := map[inode]bool{}
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := d.Info()
		if os.IsNotExist(err) {
			return nil // deleted while we looked
		}
		if err != nil {
			return err
		}
		id, links, disk := statOf(info)
		if links > 1 && !info.IsDir() {
			if seen[id] {
				return nil
			}
			seen[id] = true
		}
		size.Disk += disk
		if info.Mode().IsRegular() {
			size.Bytes += info.Size()
		}
		return nil
	})
	return size, err == nil
}
