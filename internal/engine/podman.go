package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Podman can answer on a Docker socket. This file has the ways in which it differs
// from the Docker Engine. It was tried with Podman 4.3; releases 4 and 5 say that they
// speak the API of Engine 20.10, so other engines need not be asked.

// isPodman reports whether Podman said this of itself, which speaks this version of
// the API and no newer one. An Engine 20.10 has an id of letters between colons; Podman
// makes up a UUID, as later engines have one.
func isPodman(info system.Info, version string) bool {
	return versions.LessThan(version, stableCreatedAPI) && !strings.Contains(info.ID, ":")
}

// podmanID replaces the engine's id, which Podman makes up for every answer: two
// names of the same storage on the same host are one engine.
func podmanID(info system.Info) string {
	sum := sha256.Sum256([]byte(info.Name + "\x00" + info.DockerRootDir))
	return "podman-" + hex.EncodeToString(sum[:16])
}

// removed is what Podman calls the destruction of a volume.
const removed = events.ActionRemove

// dockerEvent is an event of Podman's as the Docker Engine would report it.
func dockerEvent(m events.Message) events.Message {
	if m.Type == events.VolumeEventType {
		m.Actor.ID = cmp.Or(m.Actor.ID, m.Actor.Attributes["name"])
		if m.Action == removed {
			m.Action = events.ActionDestroy
		}
	}
	return m
}

// identify makes containers refer to their networks by id: in Podman's list they
// refer to them by name.
func identify(s *inventory.Snapshot) {
	for _, con := range s.Containers {
		for i, name := range con.Networks {
			if at := slices.IndexFunc(s.Networks, func(n inventory.Network) bool { return n.Name == name }); at >= 0 {
				con.Networks[i] = s.Networks[at].ID
			}
		}
	}
}

// shortTag is an image's tag without the registry that Podman adds if there is none.
func shortTag(tag string) string {
	return strings.TrimPrefix(strings.TrimPrefix(tag, "docker.io/"), "library/")
}
