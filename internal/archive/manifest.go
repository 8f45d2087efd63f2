package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Version is the manifest version that is written, and the highest that is read.
const Version = 1

// MediaType is the media type of every archive.
const MediaType = "application/x-tar+zstd"

// Manifest describes an export. docs/export.md lists every field.
type Manifest struct {
	Version  int         `json:"version"`
	Tool     string      `json:"tool"`
	EventID  string      `json:"event_id"` // of the operation in the audit log
	Project  string      `json:"project"`
	Started  time.Time   `json:"started"`
	Finished time.Time   `json:"finished"`
	Engine   Engine      `json:"engine"`
	Ran      []Container `json:"ran"` // containers that ran with these volumes before the export
	Volumes  []Volume    `json:"volumes"`
}

// Engine is where the volumes were.
type Engine struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	OS       string   `json:"os"`
	Root     string   `json:"root"`    // its data directory
	Storage  string   `json:"storage"` // driver
	Security []string `json:"security,omitempty"`
}

// Container is one container.
type Container struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// The ways in which a volume is read.
const (
	Direct    = "direct"     // from its directory on this host
	ByArchive = "engine_api" // through the engine's archive API
)

// Whether a container could write while a volume was read.
const (
	Stopped = "stopped" // none
	Live    = "live"
)

// Volume is one exported volume.
type Volume struct {
	Name        string            `json:"name"`
	Key         string            `json:"key,omitempty"` // its name in the Compose files
	Driver      string            `json:"driver"`
	Options     map[string]string `json:"options,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Created     string            `json:"created,omitempty"` // RFC 3339, as the engine reports it
	Method      string            `json:"method"`            // direct or engine_api
	Consistency string            `json:"consistency"`       // stopped or live
	Content
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Archive  Archive   `json:"archive"`
}

// Content is what a volume holds, as it was read.
type Content struct {
	Root    Root             `json:"root"`
	Entries map[string]int64 `json:"entries"`        // by type: file, directory, symlink, hardlink, fifo, device
	Bytes   int64            `json:"bytes"`          // sum of the file lengths, hard links once
	Disk    int64            `json:"disk,omitempty"` // allocated on the disk, where it could be seen
	Skipped []Skipped        `json:"skipped,omitempty"`

	deepest int
}

// Deepest is the length in bytes of the longest path of a directory, of what was
// just read.
func (c Content) Deepest() int { return c.deepest }

// Root is the volume's own directory.
type Root struct {
	Mode string `json:"mode"` // octal, four digits: with suid, sgid and sticky
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

// Skipped is something that the archive does not hold, and why.
type Skipped struct {
	What  string   `json:"what"`
	Why   string   `json:"why"`
	Count int64    `json:"count,omitempty"` // 0 where it cannot be counted
	Names []string `json:"names,omitempty"` // the first of them
}

// Archive is one file of an export.
type Archive struct {
	Path      string `json:"path"` // below the export, with slashes
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	TarSize   int64  `json:"tar_size"`
	TarSHA256 string `json:"tar_sha256"`
}

// ErrNewer says that a manifest was written by a newer program.
var ErrNewer = errors.New("it was written by a newer ccdestroy")

func parseManifest(data []byte) (m Manifest, err error) {
	if err := weigh(data); err != nil {
		return m, fmt.Errorf("it is no manifest: %w", err)
	}
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return m, fmt.Errorf("it is no manifest: %w", err)
	}
	switch {
	case head.Version > Version:
		return m, fmt.Errorf("%w: manifest version %d, and this one reads %d", ErrNewer, head.Version, Version)
	case head.Version < 1:
		return m, errors.New("it is no manifest: it has no version")
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("it is no manifest: %w", err)
	}
	return m, m.check()
}

// Find is the volume of that name, or of that key in the Compose files.
func (m Manifest) Find(name string) (Volume, bool) {
	for _, v := range m.Volumes {
		if v.Name == name {
			return v, true
		}
	}
	for _, v := range m.Volumes {
		if v.Key == name {
			return v, true
		}
	}
	return Volume{}, false
}

// Bytes is the sum over the volumes.
func (m Manifest) Bytes() (sum int64) {
	for _, v := range m.Volumes {
		sum += v.Content.Bytes
	}
	return sum
}
