package cli

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Projects are torn down at once, with nothing in common: go test -race.
func TestReapAtOnce(t *testing.T) {
	quiet, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	dir := t.TempDir()
	p := Process{
		Dir: dir, Environ: []string{"DOCKER_HOST=unix://" + dir + "/none.sock", "HOME=" + dir, "XDG_STATE_HOME=" + dir, "XDG_CACHE_HOME=" + dir},
		Stdin: quiet, Stdout: quiet, Stderr: quiet, Now: time.Now, json: true,
	}
	p.set = &settings{p: p}
	tearDown := reapCmd{}.tearDown(p, inventory.Patterns{}, record.ByFlag)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if end, err := tearDown(t.Context(), "shop", nil, nil); err == nil {
				t.Errorf("without an engine it ends with %+v", end)
			}
		})
	}
	all.Wait()
}
