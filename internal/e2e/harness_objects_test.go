package e2e

import (
	"context"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// object is something on the engine that belongs to a test.
type object struct {
	kind string // container, volume, network or image
	id   string // of containers and networks; the name of volumes; the tag of images
	// alias is the same for the same thing in two runs of one scenario: the
	// name, or for an anonymous volume the container and path that it is
	// mounted in.
	alias string
}

func (o object) remove(ctx context.Context, api *client.Client) {
	switch o.kind {
	case "container":
		_ = api.ContainerRemove(ctx, o.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	case "volume":
		_ = api.VolumeRemove(ctx, o.id, true)
	case "network":
		_ = api.NetworkRemove(ctx, o.id)
	case "image":
		_, _ = api.ImageRemove(ctx, o.id, image.RemoveOptions{Force: true})
	}
}

var hexName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// objects lists what the engine has of this test, in an order in which it can
// be removed.
func (s *stack) objects(ctx context.Context) []object {
	s.t.Helper()
	var out []object
	must := func(err error) {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	containers, err := s.api.ContainerList(ctx, container.ListOptions{All: true})
	must(err)
	anonymous := map[string][]string{} // volume -> where it is mounted
	for _, c := range containers {
		name := strings.TrimPrefix(c.Names[0], "/")
		if !strings.Contains(name, s.name) && c.Labels["com.docker.compose.project"] != s.name {
			continue
		}
		out = append(out, object{"container", c.ID, runID.ReplaceAllString(name, "-run")})
		for _, m := range c.Mounts {
			if hexName.MatchString(m.Name) {
				anonymous[m.Name] = append(anonymous[m.Name], runID.ReplaceAllString(name, "-run")+":"+m.Destination)
			}
		}
	}
	volumes, err := s.api.VolumeList(ctx, volume.ListOptions{})
	must(err)
	for _, v := range volumes.Volumes {
		switch at := anonymous[v.Name]; {
		case len(at) > 0:
			sort.Strings(at)
			out = append(out, object{"volume", v.Name, "anonymous " + strings.Join(at, "+")})
		case strings.Contains(v.Name, s.name) || v.Labels["com.docker.compose.project"] == s.name:
			out = append(out, object{"volume", v.Name, v.Name})
		}
	}
	networks, err := s.api.NetworkList(ctx, network.ListOptions{})
	must(err)
	for _, n := range networks {
		if strings.Contains(n.Name, s.name) {
			out = append(out, object{"network", n.ID, n.Name})
		}
	}
	images, err := s.api.ImageList(ctx, image.ListOptions{})
	must(err)
	for _, i := range images {
		for _, tag := range i.RepoTags {
			if strings.Contains(tag, s.name) {
				out = append(out, object{"image", tag, strings.TrimPrefix(strings.TrimPrefix(tag, "docker.io/"), "library/")})
			}
		}
	}
	return out
}

// runID is the random end of a one-off container's name.
var runID = regexp.MustCompile(`-run-[0-9a-f]{12}$`)

// vanished returns what of before is no longer there, as "kind alias", sorted,
// with the project's own name written PROJ.
func (s *stack) vanished(before []object) []string {
	s.t.Helper()
	ctx := context.Background()
	now := map[string]bool{}
	for _, o := range s.objects(ctx) {
		now[o.kind+o.id] = true
	}
	// Anonymous volumes lose their alias with their container: ask by name.
	volumes, err := s.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, v := range volumes.Volumes {
		now["volume"+v.Name] = true
	}
	out := []string{}
	for _, o := range before {
		if !now[o.kind+o.id] {
			out = append(out, o.kind+" "+strings.ReplaceAll(o.alias, s.name, "PROJ"))
		}
	}
	slices.Sort(out)
	return out
}

// alias maps the engine's name of a volume to its alias in before.
func (s *stack) alias(before []object, name string) string {
	for _, o := range before {
		if o.kind == "volume" && o.id == name {
			return strings.ReplaceAll(o.alias, s.name, "PROJ")
		}
	}
	return name
}

// has reports whether the engine has a container of this name.
func (s *stack) has(name string) bool {
	_, err := s.api.ContainerInspect(context.Background(), s.expand(name))
	return err == nil
}

func (s *stack) hasVolume(name string) bool {
	_, err := s.api.VolumeInspect(context.Background(), s.expand(name))
	return err == nil
}

func (s *stack) createVolume(name string, labels map[string]string) {
	s.t.Helper()
	if _, err := s.api.VolumeCreate(context.Background(), volume.CreateOptions{Name: name, Labels: labels}); err != nil {
		s.t.Fatal(err)
	}
}

// mountpoint is the directory of a volume on this host.
func (s *stack) mountpoint(volume string) string {
	s.t.Helper()
	return s.docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume)
}

// running are the names of the project's containers that run.
func (s *stack) running() []string {
	names := strings.Fields(s.docker("ps", "--filter", "label=com.docker.compose.project=PROJ", "--format", "{{.Names}}"))
	slices.Sort(names)
	return names
}

func (s *stack) helpers() int {
	s.t.Helper()
	list, err := s.api.ContainerList(context.Background(), container.ListOptions{All: true})
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, c := range list {
		if c.Labels["io.ccdestroy.helper"] == "true" && slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool { return strings.Contains(m.Name, s.name) }) {
			n++
		}
	}
	return n
}
