package record

import (
	"encoding/json"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// --volume takes names and Compose keys, and only losses, unless --outcome says
// otherwise.
func TestFilterByVolume(t *testing.T) {
	data := inventory.Resource{Kind: inventory.KindVolume, Name: "shop_data", Key: "data"}
	details, err := json.Marshal(map[string]any{"resources": []inventory.Resource{data, {Kind: inventory.KindVolume, Name: "shop_cache", Key: "cache"}, {Kind: inventory.KindContainer, Name: "web"}}})
	if err != nil {
		t.Fatal(err)
	}
	lost := audit.Event{Operation: audit.Destroy, Outcome: audit.Partial, Details: details, DataAffected: []string{"shop_data"}}
	declined := audit.Event{Operation: audit.Destroy, Outcome: audit.Cancelled, Details: details}
	for _, c := range []struct {
		f              Filter
		lost, declined bool
	}{
		{Filter{Volume: []string{"shop_data"}}, true, false},
		{Filter{Volume: []string{"data"}}, true, false},
		{Filter{Volume: []string{"da*"}}, true, false},
		{Filter{Volume: []string{"cache"}}, false, false},
		{Filter{Volume: []string{"web"}}, false, false},
		{Filter{Volume: []string{"cache"}, Outcome: []string{"partial", "cancelled"}}, true, true},
		{Filter{Volume: []string{"data"}, Outcome: []string{"cancelled"}}, false, true},
	} {
		match := c.f.Match()
		if a, b := match(lost, nil), match(declined, nil); a != c.lost || b != c.declined {
			t.Errorf("%+v: lost %t, declined %t", c.f, a, b)
		}
	}
}
