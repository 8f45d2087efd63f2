package export

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// The manifest names what ran before any of several calls, once: a volume may be created,
// and a container started, while others are saved.
func TestWhatRan(t *testing.T) {
	a := begin(newWorld(t), nil)
	w := Writer{Setting: a.setting(), Dir: func(string) string { return a.dir() }, Live: true}
	l, free, err := durable.Sharing{}.TryLock(filepath.Join(t.TempDir(), "lock"))
	if err != nil || !free {
		t.Fatal(err)
	}
	defer l.Remove()
	for i, names := range [][]string{{"data", "uploads"}, {"cache"}, {"more"}} {
		if i == 1 {
			a.Run("late", "shop", "late", "cache", "more")
		}
		var volumes []inventory.Volume
		for _, name := range names {
			volumes = append(volumes, a.Volume(name).Volume)
		}
		if err := w.Save(t.Context(), l.Path(), inventory.Inventory{Project: "shop", Dir: a.Dir()}, volumes, nil); err != nil {
			t.Fatal(err)
		}
	}
	saved, err := w.Finish(t.Context(), "01KB0000000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	e, err := archive.Open(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	var ran []string
	for _, c := range e.Manifest.Ran {
		ran = append(ran, c.Name)
	}
	if m := e.Manifest; !slices.Equal(ran, []string{"db", "web", "late"}) || m.Project != "shop" || m.Engine.OS != "Linux" || len(m.Volumes) != 4 {
		t.Errorf("%q ran; %d volumes of %s, %+v", ran, len(m.Volumes), m.Project, m.Engine)
	}
}
