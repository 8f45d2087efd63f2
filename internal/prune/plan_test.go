package prune

import (
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

func TestPlan(t *testing.T) {
	anonymous := map[string]string{"com.docker.volume.anonymous": ""}
	s := inventory.Snapshot{
		Containers: []inventory.Container{{Name: "stopped", State: "exited", Mounts: []inventory.Mount{{Volume: "used"}, {Volume: "used"}}}},
		Volumes: []inventory.Volume{
			{Name: "used", Driver: "local"},
			{Name: "named", Driver: "local"},
			{Name: "anon", Driver: "local", Labels: anonymous},
			{Name: "tmp", Driver: "local", Labels: map[string]string{"keep": "no", "team": "a"}},
			{Name: "bound", Driver: "local", Options: map[string]string{"o": "bind"}},
			{Name: "plugged", Driver: "nfs"},
			{Name: "guarded", Driver: "local", Labels: map[string]string{"ccdestroy.protect": "true"}},
		},
	}
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"as engines before 23", Options{}, "anon named tmp"},
		{"as later ones", Options{OnlyAnonymous: true}, "anon"},
		{"unprotected", Options{Unprotect: []string{"guarded"}}, "anon guarded named tmp"},
		{"protected by patterns", Options{Protect: inventory.Patterns{"a*": {}, "tmp": {Enforced: true}}}, "named"},
		{"unprotected, as far as may be", Options{Protect: inventory.Patterns{"a*": {}, "tmp": {Enforced: true}}, Unprotect: []string{"anon", "tmp"}}, "anon named"},
		{"label", Options{Filters: filters(t, "label=team")}, "tmp"},
		{"label with value", Options{Filters: filters(t, "label=team=b")}, ""},
		{"two labels", Options{Filters: filters(t, "label=team=a", "label=keep")}, "tmp"},
		{"not label", Options{Filters: filters(t, "label!=team")}, "anon named"},
		{"not both", Options{Filters: filters(t, "label!=team", "label!=other")}, "anon named tmp"},
	} {
		inv := Plan(s, c.o)
		if got := strings.Join(inv.Going(), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, r := range inv.Resources {
			if (r.Fate == inventory.Kept) != (r.Reason != "") || r.Asked != (r.Fate == inventory.Removed) {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
	}
	if used := Plan(s, Options{}).Of(inventory.KindVolume, inventory.Kept)[3]; used.Name != "used" || used.Reason != "in use by stopped" {
		t.Errorf("%+v", used)
	}
}

// A Compose key is that of a volume in each of many projects: --unprotect takes the
// names of volumes alone, and says of another word that it is none.
func TestUnprotectByName(t *testing.T) {
	labels := map[string]string{inventory.LabelProtect: "true", inventory.LabelVolume: "data"}
	s := inventory.Snapshot{Volumes: []inventory.Volume{{Name: "blog_data", Driver: "local", Labels: labels}, {Name: "shop_data", Driver: "local", Labels: labels}}}
	for word, want := range map[string]string{"data": "", "shop_data": "shop_data", "shop": ""} {
		inv := Plan(s, Options{Unprotect: []string{word}})
		if got := strings.Join(inv.Going(), " "); got != want {
			t.Errorf("%s: %q goes, want %q", word, got, want)
		}
		if unknown := absent(inv, []string{word}); (len(unknown) == 1) != (want == "") {
			t.Errorf("%s: unknown %q", word, unknown)
		}
		for _, r := range inv.Resources {
			if r.Lifted != (r.Name == want) {
				t.Errorf("%s: %s is lifted: %t", word, r.Name, r.Lifted)
			}
		}
	}
}

func filters(t *testing.T, texts ...string) (out []Filter) {
	t.Helper()
	for _, text := range texts {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func TestParseFilter(t *testing.T) {
	for _, bad := range []string{"", "label", "label=", "label!=", "dangling=true", "until=1h", "=x"} {
		if f, err := ParseFilter(bad); err == nil {
			t.Errorf("%q: %+v", bad, f)
		}
	}
}
