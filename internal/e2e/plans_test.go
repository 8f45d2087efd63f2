package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/plans"
)

// With -plans every scenario leaves in internal/inventory/testdata/plans what
// its teardown was planned from, and what Compose then removed.
var writePlans = flag.Bool("plans", false, "write the scenarios' plans anew")

// dumper builds the program that tells what a teardown is planned from.
var dumper = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "dump")
	out, err := exec.Command("go", "build", "-o", path, "../lab/plans/dump").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// plan notes what a teardown with Compose's own arguments is planned from. The
// function that it returns is called when Compose has done it.
func (sc scenario) plan(t *testing.T, s *stack, args []string) (done func()) {
	t.Helper()
	if !*writePlans {
		return func() {}
	}
	program, err := dumper()
	if err != nil {
		t.Fatal(err)
	}
	before := s.objects(context.Background())
	r := sc.run(t, s, s.command(sc.sub, program, args...))
	if r.code != 0 {
		t.Logf("no plan: %s", r.stderr)
		return func() {}
	}
	var c plans.Case
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		t.Fatal(err)
	}
	return func() {
		c.Removed, c.Open = s.removed(before), sc.open
		s.ours(&c)
		s.stable(&c, before)
		c.Inventory = inventory.Plan(c.Model, c.Snapshot, c.Options)
		if err := c.Write(plans.Path("../inventory/testdata/plans", sc.name)); err != nil {
			t.Fatal(err)
		}
	}
}

// removed is what of before is gone, as "kind name" with the engine's names.
func (s *stack) removed(before []object) (out []string) {
	volumes := s.docker("volume", "ls", "--quiet")
	now := map[string]bool{}
	for _, o := range s.objects(context.Background()) {
		now[o.kind+o.id] = true
	}
	for _, o := range before {
		name := o.alias
		if o.kind == "volume" {
			name = o.id
			now[o.kind+o.id] = slices.Contains(strings.Fields(volumes), name)
		}
		if !now[o.kind+o.id] {
			out = append(out, o.kind+" "+name)
		}
	}
	return out
}

// labels are those that a plan looks at.
var labels = regexp.MustCompile(`^com\.docker\.compose\.(project|service|network|volume|oneoff|config-hash|depends_on|hook|relay-network)$|^com\.docker\.volume\.anonymous$|^ccdestroy\.`)

// epoch is when everything was made: no plan looks at times.
var epoch = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// ours leaves out what is not of this test, and what no plan looks at.
func (s *stack) ours(c *plans.Case) {
	mine := func(name string, l map[string]string) bool {
		return strings.Contains(name, s.name) || l["com.docker.compose.project"] == s.name
	}
	few := func(l map[string]string) {
		maps.DeleteFunc(l, func(key, _ string) bool { return !labels.MatchString(key) })
		if _, has := l["com.docker.compose.config-hash"]; has {
			l["com.docker.compose.config-hash"] = "hash"
		}
	}
	w := &c.Snapshot
	mounted, images := map[string]bool{}, map[string]bool{}
	w.Containers = slices.DeleteFunc(w.Containers, func(one inventory.Container) bool { return !mine(one.Name, one.Labels) })
	for i, one := range w.Containers {
		few(one.Labels)
		w.Containers[i].Created = epoch
		images[one.ImageID] = true
		slices.SortFunc(one.Mounts, func(a, b inventory.Mount) int {
			return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Source, b.Source))
		})
		for _, m := range w.Containers[i].Mounts {
			mounted[m.Volume] = true
		}
	}
	w.Volumes = slices.DeleteFunc(w.Volumes, func(v inventory.Volume) bool { return !mounted[v.Name] && !mine(v.Name, v.Labels) })
	for i, v := range w.Volumes {
		few(v.Labels)
		w.Volumes[i].Mountpoint, w.Volumes[i].Here = "", false
		w.Volumes[i].Created, w.Volumes[i].Born = epoch, time.Time{}
	}
	w.Networks = slices.DeleteFunc(w.Networks, func(n inventory.Network) bool { return !mine(n.Name, n.Labels) })
	for i, n := range w.Networks {
		few(n.Labels)
		w.Networks[i].Created = epoch
	}
	w.Images = slices.DeleteFunc(w.Images, func(i inventory.Image) bool {
		return !images[i.ID] && !slices.ContainsFunc(i.Tags, func(tag string) bool { return strings.Contains(tag, s.name) })
	})
	for i, img := range w.Images {
		few(img.Labels)
		w.Images[i].Created, w.Images[i].Size = epoch, 1
		w.Images[i].Tags = slices.DeleteFunc(img.Tags, func(tag string) bool {
			return !strings.Contains(tag, s.name) && tag != os.Getenv("CCDESTROY_IMAGE")
		})
	}
}

// stable makes names and ids the same in every run.
func (s *stack) stable(c *plans.Case, before []object) {
	s.t.Helper()
	alias := map[string]string{}
	for _, o := range before {
		alias[o.id] = o.alias
	}
	w, m := &c.Snapshot, &c.Model
	slices.SortFunc(w.Containers, func(a, b inventory.Container) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(w.Volumes, func(a, b inventory.Volume) int {
		return cmp.Compare(cmp.Or(alias[a.Name], a.Name), cmp.Or(alias[b.Name], b.Name))
	})
	slices.SortFunc(w.Networks, func(a, b inventory.Network) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(w.Images, func(a, b inventory.Image) int {
		return cmp.Compare(strings.Join(a.Tags, " "), strings.Join(b.Tags, " "))
	})
	byKey := func(a, b inventory.Declared) int { return cmp.Compare(a.Key, b.Key) }
	slices.SortFunc(m.Volumes, byKey)
	slices.SortFunc(m.Networks, byKey)
	var pairs []string
	number := 0
	name := func(id, format string) {
		number++
		pairs = append(pairs, id, fmt.Sprintf(format, number))
	}
	for i := range w.Containers {
		name(w.Containers[i].ID, "container%d")
		for j, id := range w.Containers[i].Networks {
			if !slices.ContainsFunc(w.Networks, func(n inventory.Network) bool { return n.ID == id }) {
				w.Containers[i].Networks[j] = "elsewhere"
			}
		}
		slices.Sort(w.Containers[i].Networks)
		if len(w.Images) == 0 {
			w.Containers[i].ImageID = ""
		}
	}
	for _, v := range w.Volumes {
		if hexName.MatchString(v.Name) {
			name(v.Name, "%064x")
		}
	}
	for _, n := range w.Networks {
		name(n.ID, "network%d")
	}
	for i := range w.Images {
		name(w.Images[i].ID, "sha256:image%d")
	}
	pairs = append(pairs, s.dir, "/src", s.name, "proj", strings.ToUpper(s.name), "PROJ", os.Getenv("CCDESTROY_IMAGE"), "image:test")
	data, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.NewReplacer(pairs...).Replace(string(data))
	text = regexp.MustCompile(`-run-[0-9a-f]{12}`).ReplaceAllString(text, "-run")
	*c = plans.Case{}
	if err := json.Unmarshal([]byte(text), c); err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(c.Removed)
}
