package trash

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// held is an entry that was kept so many hours ago, for so many.
func held(name string, ago, keep int, bytes int64) Found {
	kept := noon.Add(-time.Duration(ago) * time.Hour)
	return Found{Item: Item{Operation: "OP" + name, Volume: name}, Where: InTrash, Entry: &Entry{Bytes: bytes, Kept: kept, Until: kept.Add(time.Duration(keep) * time.Hour)}}
}

func TestFit(t *testing.T) {
	old, young, expired := held("old", 5, 10, 10), held("young", 1, 10, 8), held("expired", 3, 2, 5)
	half := Found{Item: Item{Operation: "OPhalf", Volume: "half"}, Where: Ending}
	for _, c := range []struct {
		name  string
		held  []Found
		more  int64
		space Space
		want  string // that goes
		fits  bool
	}{
		{"room", []Found{young, old}, 2, Space{100, 50}, "[]", true},
		{"what is over goes in any case", []Found{expired, young}, 2, Space{100, 50}, "[expired]", true},
		{"and what is half gone", []Found{half}, 0, Space{100, 50}, "[half]", true},
		{"a fifth is full: the oldest goes", []Found{young, old}, 5, Space{100, 50}, "[old]", true},
		{"and the next one", []Found{young, old}, 15, Space{100, 50}, "[old young]", true},
		{"too large by itself", []Found{young, old}, 21, Space{100, 50}, "[]", false},
		{"a tenth stays free", []Found{young, old}, 1, Space{100, 5}, "[old]", true},
		{"full of other things", nil, 1, Space{100, 5}, "[]", false},
		{"sizes that are not known count as nothing", []Found{held("unknown", 9, 10, 0), old}, 0, Space{100, 5}, "[old]", true},
		{"a disk of unknown size", []Found{old}, 1000, Space{}, "[]", true},
	} {
		excess, fits := over(c.held, c.more, c.space, noon)
		names := []string{}
		for _, item := range excess {
			names = append(names, item.Volume)
		}
		why := Fits(c.held, c.more, c.space, noon)
		if fits && fmt.Sprint(names) != c.want || fits != c.fits || fits != (why == "") {
			t.Errorf("%s: %v, %t, %q", c.name, names, fits, why)
		}
	}
	if e := Excess([]Found{old, expired}, Space{100, 50}, noon); len(e) != 1 || e[0].Volume != "expired" {
		t.Errorf("%v", e)
	}
}

func TestRefusal(t *testing.T) {
	for want, v := range map[string]inventory.Volume{
		"":           {Name: "v", Driver: "local", Mountpoint: "/d/volumes/v/_data"},
		"driver nfs": {Name: "v", Driver: "nfs", Mountpoint: "/d/volumes/v/_data"},
		"its options say that its data is elsewhere": {Name: "v", Driver: "local", Options: map[string]string{"o": "bind"}, Mountpoint: "/d/volumes/v/_data"},
		"its data is at /x/_data":                    {Name: "v", Driver: "local", Mountpoint: "/x/_data"},
		"its data is at /d/volumes/../x/_data":       {Name: "../x", Driver: "local", Mountpoint: "/d/volumes/../x/_data"},
	} {
		if got := Refusal(v, "/d"); got != want {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
	if slices.Contains([]string{"a", "0.b_c-d"}, "") || valid("01KB3Z8A0C0000000000000000", "0.b_c-d") != nil || valid("../../../../../../../../etc/x", "a") == nil {
		t.Error("names")
	}
}
