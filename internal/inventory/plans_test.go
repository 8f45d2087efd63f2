package inventory_test

import (
	"bytes"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/plans"
)

var update = flag.Bool("update", false, "write the goldens anew")

// Each scenario of the end-to-end tests, as it was found on a real engine, is
// planned as its file says, and as Docker Compose did it then.
// go test -run TestDifferential ./internal/e2e -plans writes the files.
func TestPlans(t *testing.T) {
	paths, err := filepath.Glob("testdata/plans/*.json")
	if err != nil || len(paths) < 70 {
		t.Fatalf("%d plans, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			c, err := plans.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			got := inventory.Plan(c.Model, c.Snapshot, c.Options)
			if *update {
				c.Inventory = got
				if err := c.Write(path); err != nil {
					t.Fatal(err)
				}
			}
			if is, want := encode(t, got), encode(t, c.Inventory); !bytes.Equal(is, want) {
				t.Errorf("planned\n%s\nwant\n%s", is, want)
			}
			if planned := removed(got); !c.Open && !slices.Equal(planned, c.Removed) {
				t.Errorf("planned to remove %q; Compose removed %q", planned, c.Removed)
			}
		})
	}
}

func encode(t *testing.T, inv inventory.Inventory) []byte {
	t.Helper()
	data, err := plans.Encode(inv)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// removed is what a plan says will go.
func removed(inv inventory.Inventory) (out []string) {
	for _, r := range inv.Resources {
		if r.Fate == inventory.Removed {
			out = append(out, string(r.Kind)+" "+r.Name)
		}
	}
	slices.Sort(out)
	return out
}

// Whatever order the engine lists things in, the plan is the same, and no user
// of a volume is named twice.
func TestPlanOrder(t *testing.T) {
	paths, err := filepath.Glob("testdata/plans/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		c, err := plans.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		want := encode(t, inventory.Plan(c.Model, c.Snapshot, c.Options))
		w := &c.Snapshot
		slices.Reverse(w.Containers)
		slices.Reverse(w.Networks)
		slices.Reverse(w.Images)
		slices.Reverse(c.Model.Volumes)
		slices.Reverse(c.Model.Networks)
		if !c.Open { // which of two volumes of one key goes is up to the order
			slices.Reverse(w.Volumes)
		}
		for i := range w.Containers {
			slices.Reverse(w.Containers[i].Mounts)
		}
		if got := encode(t, inventory.Plan(c.Model, c.Snapshot, c.Options)); !bytes.Equal(got, want) {
			t.Errorf("%s: listed backwards\n%s\nwant\n%s", path, got, want)
		}
	}
}

// A container that mounts a volume twice, with another one in between, is one
// user of it.
func TestPlanUsers(t *testing.T) {
	world := inventory.Snapshot{
		Volumes:    []inventory.Volume{{Name: "shop_a", Driver: "local"}, {Name: "shop_b", Driver: "local"}},
		Containers: []inventory.Container{{ID: "1", Name: "stranger", Mounts: []inventory.Mount{{Volume: "shop_a"}, {Volume: "shop_b"}, {Volume: "shop_a"}}}},
	}
	model := inventory.Model{Project: "shop", Mode: inventory.Files, Volumes: []inventory.Declared{{Key: "a", Name: "shop_a"}}}
	got := inventory.Plan(model, world, inventory.Options{Volumes: true}).Resources
	if len(got) != 1 || !slices.Equal(got[0].UsedBy, []string{"stranger"}) || got[0].Reason != "in use by stranger (not of this project)" {
		t.Errorf("%+v", got)
	}
}
