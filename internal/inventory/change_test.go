package inventory

import (
	"strings"
	"testing"
)

// A volume that was made again under its name is a change, and so is one of which
// that cannot be told; what makes less go is none.
func TestMadeAgain(t *testing.T) {
	volume := func(edit func(*Resource)) Resource {
		r := Resource{Kind: KindVolume, Name: "data", Created: "2026-01-01T00:00:00Z", Asked: true, Fate: Removed}
		if edit != nil {
			edit(&r)
		}
		return r
	}
	born := func(at string) func(*Resource) { return func(r *Resource) { r.Born = at } }
	later := func(r *Resource) { r.Created = "2026-01-02T00:00:00Z" }
	for _, c := range []struct {
		name     string
		first    []Resource
		second   Resource
		stable   bool
		since    *Seen
		want     string
		replaced bool // Replaced, of first and second alone
	}{
		{name: "the same", first: []Resource{volume(nil)}, second: volume(nil)},
		{name: "born later", first: []Resource{volume(born("a"))}, second: volume(born("b")), want: "was made again", replaced: true},
		{name: "born at the same time", first: []Resource{volume(born("a"))}, second: volume(func(r *Resource) { r.Born = "a"; later(r) })},
		{name: "created later", first: []Resource{volume(nil)}, second: volume(later), stable: true, want: "was made again", replaced: true},
		{name: "created later, as an old engine says", first: []Resource{volume(nil)}, second: volume(later), want: "may have been made again"},
		{name: "the same, as its events say", first: []Resource{volume(nil)}, second: volume(later), since: &Seen{}},
		{name: "another, as its events say", first: []Resource{volume(nil)}, second: volume(later), since: &Seen{Destroyed: []string{"data"}}, want: "was made again"},
		{name: "its events broke off", first: []Resource{volume(nil)}, second: volume(later), since: &Seen{Broken: true}, want: "may have been made again"},
		{name: "its events broke off, and nothing moved", first: []Resource{volume(nil)}, second: volume(nil), since: &Seen{Broken: true}},
	} {
		before := Inventory{Resources: c.first}
		after := Inventory{Engine: Engine{StableCreated: c.stable}, Resources: []Resource{c.second}, Since: c.since}
		got := ""
		for _, change := range Changes(before, after) {
			got += strings.TrimPrefix(change.String(), "volume data ")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.since != nil {
			continue
		}
		replaced, known := Replaced(c.first[0], c.second, after.Engine)
		if replaced != c.replaced || known == strings.HasPrefix(c.want, "may") {
			t.Errorf("%s: replaced %v, known %v", c.name, replaced, known)
		}
	}
}
