package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// resolved is what is read of the output of `docker compose config --format
// json`: names, and who uses what. Fields that are not known are ignored, so
// that a newer syntax does no harm.
type resolved struct {
	Name     string `json:"name"`
	Services map[string]struct {
		Image     string                     `json:"image"`
		DependsOn map[string]json.RawMessage `json:"depends_on"`
		Volumes   []struct {
			Type, Source string
			ReadOnly     bool `json:"read_only"`
		} `json:"volumes"`
		PreStop []struct {
			Command []string `json:"command"`
		} `json:"pre_stop"`
		Provider *struct{ Type string } `json:"provider"`
	} `json:"services"`
	Volumes  map[string]entry `json:"volumes"`
	Networks map[string]entry `json:"networks"`
}

type entry struct {
	Name     string `json:"name"`
	External bool   `json:"external"`
}

// ask lets Compose resolve the project: it reads files, and changes nothing.
func (c *Compose) ask(ctx context.Context) (inventory.Model, error) {
	args := append(c.Args.docker(), "config", "--format", "json")
	stdout, stderr, err := c.run(ctx, append(args, c.Args.Services...)...)
	if err != nil {
		if line := lastLine(stderr); line != "" {
			err = errors.New(line)
		}
		return inventory.Model{}, err
	}
	var r resolved
	if err := json.Unmarshal(stdout, &r); err != nil {
		return inventory.Model{}, fmt.Errorf("read the output of docker compose config: %w", err)
	}
	if r.Name == "" {
		return inventory.Model{}, errors.New("docker compose config named no project")
	}
	return c.fromResolved(r), nil
}

func (c *Compose) fromResolved(r resolved) inventory.Model {
	m := inventory.Model{
		Project: r.Name, Mode: inventory.Files, Dir: c.Dir, Files: c.Args.Files, Via: "compose config",
		Named: c.Args.Services, Services: map[string]inventory.Service{}, Disabled: map[string]string{}, Profiles: map[string][]string{},
	}
	if at := c.located(); at.Dir != "" {
		m.Dir, m.Files = at.Dir, at.Files
	}
	for name, s := range r.Services {
		svc := inventory.Service{Image: s.Image}
		for dep := range s.DependsOn {
			svc.DependsOn = append(svc.DependsOn, dep)
		}
		for _, v := range s.Volumes {
			if v.Type == "bind" {
				svc.Binds = append(svc.Binds, inventory.Bind{Source: v.Source, Writable: !v.ReadOnly})
			}
		}
		for _, hook := range s.PreStop {
			svc.PreStop = append(svc.PreStop, strings.Join(hook.Command, " "))
		}
		if s.Provider != nil {
			svc.Provider = s.Provider.Type
		}
		m.Services[name] = svc
	}
	for key, v := range r.Volumes {
		m.Volumes = append(m.Volumes, inventory.Declared{Key: key, Name: v.Name, External: v.External})
	}
	for key, n := range r.Networks {
		m.Networks = append(m.Networks, inventory.Declared{Key: key, Name: n.Name, External: n.External})
	}
	closure(m.Services, m.Named)
	return m
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
