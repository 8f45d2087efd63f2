package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A directory of the right name that is not of the age that the engine tells is
// another engine's.
func TestHere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "_data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	need.That(t, "Linux", !changed(dir).IsZero())
	for _, version := range []string{"1.41", "1.51"} {
		api, err := client.NewClientWithOpts(client.WithVersion(version))
		if err != nil {
			t.Fatal(err)
		}
		c := &Client{api: api, local: true}
		made, later := changed(dir).Truncate(time.Second), time.Now().Add(time.Hour)
		if version != "1.41" {
			made = changed(filepath.Dir(dir)).Truncate(time.Second)
		}
		for _, x := range []struct {
			what string
			v    inventory.Volume
			want bool
		}{
			{"ours", inventory.Volume{Driver: "local", Mountpoint: dir, Created: made}, true},
			{"another's, older", inventory.Volume{Driver: "local", Mountpoint: dir, Created: made.Add(time.Minute)}, false},
			{"another's, younger", inventory.Volume{Driver: "local", Mountpoint: dir, Created: made.Add(-time.Minute)}, false},
			{"not there", inventory.Volume{Driver: "local", Mountpoint: dir + "/x/y", Created: made}, false},
			{"with options", inventory.Volume{Driver: "local", Mountpoint: dir, Created: made, Options: map[string]string{"o": "bind"}}, false},
			{"of another driver", inventory.Volume{Driver: "nfs", Mountpoint: dir, Created: made}, false},
		} {
			if got := c.here(x.v, later); got != x.want {
				t.Errorf("API %s, %s: %v", version, x.what, got)
			}
		}
		c.local = false
		if c.here(inventory.Volume{Driver: "local", Mountpoint: dir, Created: made}, later) {
			t.Errorf("API %s: a remote engine's", version)
		}
	}
	// On an old engine the age moves while files are made in the volume.
	old, err := client.NewClientWithOpts(client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{api: old, local: true}
	if !c.here(inventory.Volume{Driver: "local", Mountpoint: dir, Created: time.Now().Add(-time.Hour)}, changed(dir).Add(-time.Second)) {
		t.Error("a volume that changed after the engine was asked")
	}
}
