package render

import (
	"bytes"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// How one of many ended, in colour, and what brings it back from anywhere.
func TestReapedOne(t *testing.T) {
	kept := []record.Kept{{Name: "shop_data", Until: "2026-12-06T12:00:00Z"}}
	until := Until(kept).Local().Format("2 Jan 15:04")
	remaining := inventory.Verdict{Remaining: []inventory.Resource{{Kind: inventory.KindVolume, Name: "shop_data\x1b", Reason: "in use by psql-debug, which is not of this project"}}}
	for _, c := range []struct {
		name string
		one  Reaped
		want string
	}{
		{"gone", Reaped{Project: "shop", Over: true, Ending: &record.Ending{Outcome: audit.Success}}, "shop: \x1b[32mdestroyed\x1b[0m\n"},
		{"kept", Reaped{Project: "shop", Over: true, Ending: &record.Ending{ID: "01M8KKD8BSVZ3M1QJ5Q0000000", Outcome: audit.Success, Kept: kept}}, "shop: \x1b[32mdestroyed\x1b[0m\nUndo until " + until + ": ccdestroy undo 01M8KKD8BS\n"},
		{"partly", Reaped{Project: "shop\x1b", Over: true, Ending: &record.Ending{Outcome: audit.Partial, Verdict: remaining}}, "shop\\x1b: \x1b[31mpartial\x1b[0m: volume shop_data\\x1b: in use by\n  psql-debug, which is not of this project\n"},
	} {
		var b bytes.Buffer
		if err := ReapedOne(&b, c.one, Style{Color: true, Width: 60}); err != nil || b.String() != c.want {
			t.Errorf("%s: %v\n%q\nwant\n%q", c.name, err, b.String(), c.want)
		}
	}
}
