package export

import (
	"testing"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

// What a refused restore says, on terminals of two widths.
func TestRefusalScreens(t *testing.T) {
	of := func(name, project string) inventory.Container {
		return inventory.Container{Name: name, Labels: map[string]string{inventory.LabelProject: project}}
	}
	used := obstacle{volume: "shop_data", why: "is in use by shop-web-1, psql", users: []inventory.Container{of("shop-web-1", "shop"), of("psql", "")}}
	content := obstacle{volume: "shop_data", why: "has content", overwrite: true}
	guarded := obstacle{volume: "shop_data", why: "is protected by the label ccdestroy.protect=true"}
	for _, c := range []struct {
		name      string
		args      []string
		targets   int
		obstacles []obstacle
		wide      string
		narrow    string // "" is the same
	}{
		{"used and with content", []string{"restore", "old", "data"}, 1, []obstacle{used, content}, `ccdestroy: nothing was restored:
  volume "shop_data" is in use by shop-web-1, psql
  volume "shop_data" has content
Try: docker compose -p shop down && docker rm -f psql && ccdestroy restore old data --overwrite
 or: ccdestroy restore old data --as shop_data-restored
`, ""},
		{"protected", []string{"restore", "old", "data", "--as", "shop_data"}, 1, []obstacle{guarded}, `ccdestroy: nothing was restored:
  volume "shop_data" is protected by the label ccdestroy.protect=true
Try: ccdestroy restore old data --as shop_data-restored
`, ""},
		{"one of several", []string{"restore", "old", "--quiet"}, 2, []obstacle{content}, `ccdestroy: nothing was restored:
  volume "shop_data" has content
Try: ccdestroy restore old --quiet --overwrite; or --as NAME, one volume at a time
`, `ccdestroy: nothing was restored:
  volume "shop_data" has content
Try: ccdestroy restore old --quiet --overwrite
 or: --as NAME, one volume at a time
`},
	} {
		r := Restore{Book: &record.Book{Program: []string{"ccdestroy"}, Args: c.args}, targets: make([]target, c.targets)}
		r.targets[0].volume.Name = "shop_data"
		f := r.refusal(c.obstacles)
		if f.Code != fault.ExitRefused {
			t.Errorf("%s: exit %d", c.name, f.Code)
		}
		if c.narrow == "" {
			c.narrow = c.wide
		}
		for width, want := range map[int]string{80: c.narrow, 120: c.wide} {
			if got := (render.Style{Width: width}).Complaint(f.Error(), f.Try); got != want {
				t.Errorf("%s at %d:\n%s\nnot\n%s", c.name, width, got, want)
			}
		}
	}
}
