package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// localImage is one that is made here and given to the engine; nothing is pulled.
type localImage struct {
	tag  string
	made time.Time
	file []byte // content of its one file, /ccdestroy; nil is an image without any
	arch string // of the file
}

// load gives the engine the image, unless it has it already.
func (c *Client) load(ctx context.Context, img localImage) error {
	_, err := c.api.ImageInspect(ctx, img.tag)
	if err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	version, err := c.api.ServerVersion(ctx)
	if err != nil {
		return err
	}
	if img.arch != "" && (img.arch != version.Arch || version.Os != "linux") {
		return fmt.Errorf("this ccdestroy is for linux/%s, and the engine runs on %s/%s", img.arch, version.Os, version.Arch)
	}
	data, err := img.archive(version.Os, version.Arch)
	if err != nil {
		return err
	}
	answer, err := c.api.ImageLoad(ctx, bytes.NewReader(data), client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if _, err = c.api.ImageInspect(ctx, img.tag); err == nil {
		c.dropOlder(ctx, img.tag)
	}
	return err
}

// dropOlder removes the images of the same name that have other tags: they hold
// versions of this program that were replaced. One that is in use stays, and one
// that another version still needs is loaded by it again.
func (c *Client) dropOlder(ctx context.Context, tag string) {
	name, _, _ := strings.Cut(tag, ":")
	list, err := c.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", name))})
	if err != nil {
		return // the next one that is loaded removes it
	}
	for _, i := range list {
		for _, other := range i.RepoTags {
			if other != tag && strings.HasPrefix(other, name+":") {
				_, _ = c.api.ImageRemove(ctx, other, image.RemoveOptions{PruneChildren: true})
			}
		}
	}
}

// archive is what docker save would write of the image.
func (i localImage) archive(system, processor string) ([]byte, error) {
	layers, sums := []string{}, []string{}
	var layer []byte
	if i.file != nil {
		var err error
		if layer, err = tarOf(tarFile{"ccdestroy", 0o755, i.file}); err != nil {
			return nil, err
		}
		layers, sums = []string{"layer.tar"}, []string{"sha256:" + hexSum(layer)}
	}
	config, err := json.Marshal(map[string]any{
		"os": system, "architecture": processor, "created": i.made.UTC().Format(time.RFC3339),
		"config": map[string]any{"Labels": map[string]string{inventory.LabelHelper: "true"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": sums},
	})
	if err != nil {
		return nil, err
	}
	name := hexSum(config) + ".json"
	list, err := json.Marshal([]any{map[string]any{"Config": name, "RepoTags": []string{i.tag}, "Layers": layers}})
	if err != nil {
		return nil, err
	}
	files := []tarFile{{name, 0o644, config}, {"manifest.json", 0o644, list}}
	if layer != nil {
		files = append(files, tarFile{"layer.tar", 0o644, layer})
	}
	return tarOf(files...)
}

type tarFile struct {
	name string
	mode int64
	data []byte
}

func tarOf(files ...tarFile) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
