package inventory

import (
	"strings"
	"testing"
)

// A container that should have gone itself is in nobody's way: the same command
// takes it, where Compose did anything at all.
func TestStepsSpareWhatGoesAnyway(t *testing.T) {
	db := Container{ID: "c1", Name: "shop-db-1", Labels: map[string]string{LabelProject: "shop"}}
	debug := Container{ID: "c2", Name: "psql-debug"}
	volume := Resource{Kind: KindVolume, Name: "shop_data", Asked: true, HeldBy: []string{"shop-db-1"}}
	before := Inventory{Project: "shop", Resources: []Resource{{Kind: KindContainer, Name: db.Name, ID: db.ID, Asked: true}, volume}}
	for _, c := range []struct {
		name string
		by   []Container
		went bool
		want string
	}{
		{"nothing was done", []Container{db}, false, ""},
		{"something went", []Container{db}, true, "ccdestroy -t 5"},
		{"another holds it, too", []Container{db, debug}, false, "docker rm -f psql-debug|ccdestroy -t 5"},
	} {
		v := Verdict{Went: c.went, Remaining: []Resource{volume}}
		v.hold(volume, c.by, before)
		var got []string
		for _, s := range v.Steps([]string{"ccdestroy"}, []string{"-t", "5"}) {
			got = append(got, strings.Join(s.Argv, " "))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}
