package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"time"
)

// An image is a tar that is two things at once: an OCI image layout (oci-layout,
// index.json, blobs/, https://github.com/opencontainers/image-spec) and what docker
// load takes (manifest.json), which engines before 25 know alone. Both name the same
// blobs. There is one layer, with the program alone: FROM scratch.

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *imagePlatform    `json:"platform,omitempty"`
}

type imagePlatform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type imageIndex struct {
	Schema    int          `json:"schemaVersion"`
	MediaType string       `json:"mediaType"`
	Manifests []descriptor `json:"manifests"`
}

type imageManifest struct {
	Schema    int          `json:"schemaVersion"`
	MediaType string       `json:"mediaType"`
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
}

type imageConfig struct {
	Created      time.Time   `json:"created"`
	Architecture string      `json:"architecture"`
	OS           string      `json:"os"`
	Config       imageRun    `json:"config"`
	RootFS       imageRootFS `json:"rootfs"`
	History      []imageStep `json:"history"`
}

type imageRun struct {
	Entrypoint []string
	Env        []string
	WorkingDir string
	Labels     map[string]string
}

type imageRootFS struct {
	Type  string   `json:"type"`
	Diffs []string `json:"diff_ids"`
}

type imageStep struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// archived is an entry of the manifest.json that docker load reads.
type archived struct {
	Config   string
	RepoTags []string
	Layers   []string
}

const repository = "ghcr.io/contextcore/ccdestroy"

// images writes the container image of each Linux build.
func (r *release) images() error {
	for _, b := range r.builds {
		if b.os != "linux" {
			continue
		}
		data, err := r.image(b)
		if err != nil {
			return err
		}
		if err := os.WriteFile(r.artefact("ccdestroy_%s_%s_%s.image.tar", r.version, b.os, b.arch), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) image(b build) ([]byte, error) {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	layer, err := plainTar([]member{
		{"tmp/", nil, 0o1777}, {"usr/", nil, 0o755}, {"usr/bin/", nil, 0o755}, {"usr/bin/ccdestroy", program, 0o755},
	}, r.when)
	if err != nil {
		return nil, err
	}
	blobs := []member{{"blobs/", nil, 0o755}, {"blobs/sha256/", nil, 0o755}}
	add := func(mediaType string, data []byte) descriptor {
		sum := sha256.Sum256(data)
		name := hex.EncodeToString(sum[:])
		blobs = append(blobs, member{"blobs/sha256/" + name, data, 0o644})
		return descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: len(data)}
	}
	// Docker before 25 does not unpack a layer that is compressed in its own archive
	// by its media type, so the layer is a plain tar.
	top := add("application/vnd.oci.image.layer.v1.tar", layer)
	config := add("application/vnd.oci.image.config.v1+json", encode(imageConfig{
		Created: r.when, Architecture: b.arch, OS: b.os,
		Config: imageRun{Entrypoint: []string{"/usr/bin/ccdestroy"}, Env: []string{"PATH=/usr/bin"}, WorkingDir: "/", Labels: map[string]string{
			"org.opencontainers.image.source": "https://github.com/contextcore/ccdestroy", "org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.version": r.version, "org.opencontainers.image.revision": r.commit,
		}},
		RootFS: imageRootFS{"layers", []string{top.Digest}}, History: []imageStep{{r.when, "COPY ccdestroy /usr/bin/"}},
	}))
	manifest := add("application/vnd.oci.image.manifest.v1+json", encode(imageManifest{2, "application/vnd.oci.image.manifest.v1+json", config, []descriptor{top}}))
	name := repository + ":" + r.version
	manifest.Platform = &imagePlatform{b.arch, b.os}
	manifest.Annotations = map[string]string{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": r.version}
	path := func(d descriptor) string { return "blobs/sha256/" + d.Digest[len("sha256:"):] }
	return plainTar(append(blobs,
		member{"index.json", encode(imageIndex{2, "application/vnd.oci.image.index.v1+json", []descriptor{manifest}}), 0o644},
		member{"manifest.json", encode([]archived{{path(config), []string{name}, []string{path(top)}}}), 0o644},
		member{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644},
	), r.when)
}

// encode is the JSON of a value of ours, which cannot fail.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}
