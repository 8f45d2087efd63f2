package render

import (
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"shop_data":                    "shop_data",
		"héllo 漢字":                     "héllo 漢字",
		"\x1b[2Jgone":                  `\x1b[2Jgone`,
		"\x1b]52;c;aGk=\x07":           `\x1b]52;c;aGk=\x07`,
		"a\x7fb\u009bc":                `a\x7fb\u009bc`,
		"a\u202egpj.exe":               `a\u202egpj.exe`,
		"a\u2066b\u200bc\ufeff\u2028d": `a\u2066b\u200bc\ufeff\u2028d`,
		"bad\xff":                      `bad\xff`,
		"tab\tline\n":                  `tab\x09line\x0a`,
	} {
		if got := Terminal(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

var now = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

func sample() inventory.Inventory {
	return inventory.Inventory{
		Project: "shop", Mode: inventory.Files, Dir: "/src/shop", Files: []string{"/src/shop/compose.yaml"},
		Engine: inventory.Engine{Host: "tcp://10.0.0.9:2376", Name: "box", Version: "28.5.2"},
		Resources: []inventory.Resource{
			{Kind: "volume", Name: "shop_pgdata", Created: "2026-08-21T18:00:00Z", UsedBy: []string{"db"}, Size: &inventory.Size{Bytes: 1800000000}, LastExport: &inventory.LastExport{At: "2026-11-21T17:00:00Z", Path: "/x", There: true}, Asked: true, Fate: "removed"},
			{Kind: "volume", Name: "shop_up", LastExport: &inventory.LastExport{At: "2026-11-21T17:00:00Z", Path: "/y"}, Asked: true, Fate: "removed"},
			{Kind: "volume", Name: "theirs\x1b[2J", Claimed: "other", LastExport: &inventory.LastExport{}, Asked: true, Fate: "removed"},
			{Kind: "volume", Name: strings.Repeat("a", 64), Anonymous: true, Size: &inventory.Size{Bytes: 12000}, Asked: true, Fate: "removed"},
			{Kind: "volume", Name: "legacy", Fate: "kept", Reason: "external"},
			{Kind: "container", Name: "db", Asked: true, Fate: "removed"},
			{Kind: "network", Name: "shop_default", Asked: true, Fate: "removed"},
		},
	}
}

const screen = `Project   shop   (compose.yaml in /src/shop)
Docker    remote  tcp://10.0.0.9:2376, Engine 28.5.2

  VOLUME         SIZE     CREATED   IN USE BY  LAST EXPORT
  shop_pgdata    1.8 GB   3 months  db         2 days ago
  shop_up        unknown  unknown              2 days ago, gone
  theirs\x1b[2J  unknown  unknown              never
  1 anonymous volume, 12 kB
  1 container: db
  1 network: shop_default

Stays, as intended:
  volume legacy    external
WARNING: volume theirs\x1b[2J belongs to project other by its label, and is destroyed nevertheless
WARNING: the data lies on a remote engine, box at tcp://10.0.0.9:2376

Destroys 4 volumes, 1 container, 1 network on tcp://10.0.0.9:2376
`

func TestInventoryScreen(t *testing.T) {
	var b strings.Builder
	if err := Inventory(&b, sample(), now, Style{}); err != nil {
		t.Fatal(err)
	}
	if squeeze(b.String()) != squeeze(screen) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), screen)
	}
	if got := Line(sample(), Style{}); got != `Destroying shop: volumes shop_pgdata, shop_up, theirs\x1b[2J and 1 anonymous; 1 container; 1 network` {
		t.Errorf("%q", got)
	}
}

// squeeze makes runs of spaces one: the width of columns is not the point.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestEndingScreens(t *testing.T) {
	partial := record.Ending{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Inventory: sample(), Duration: 3 * time.Second, Code: 3, Outcome: audit.Partial,
		Program: []string{"ccdestroy"}, Args: []string{"-p", "shop"}, Saved: "/src/shop/it's", Verdict: inventory.Verdict{
			LostBytes: 2200000000, Lost: []string{"shop_pgdata"}, Went: true,
			Resources: []inventory.Resource{{Kind: "volume", Result: "gone"}, {Kind: "container", Result: "gone"}},
			Remaining: []inventory.Resource{
				{Kind: "volume", Name: "shop_cache", Reason: "in use by psql-debug", HeldBy: []string{"psql-debug"}},
				{Kind: "volume", Name: "shop_jobs", Reason: "in use by shop-worker-1", HeldBy: []string{"shop-worker-1"}},
				{Kind: "volume", Name: "shop_old", Reason: "anonymous"},
			},
			Holders: []inventory.Holder{
				{Container: "psql-debug", Holds: []string{"shop_cache"}},
				{Container: "other-db-1", Project: "other", Holds: []string{"shop_cache", "shop_jobs"}},
				{Container: "shop-worker-1", Project: "shop", Ours: true, Profiles: []string{"worker"}, Holds: []string{"shop_jobs"}},
			},
		}}
	var b strings.Builder
	if err := Ending(&b, partial, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `PARTLY destroyed shop: 1 container, 1 volume (2.2 GB) in 3.0 s.
  still there   volume shop_cache: in use by psql-debug
  still there   volume shop_jobs: in use by shop-worker-1
  still there   volume shop_old: anonymous
To finish:
  docker rm -f psql-debug              # holds shop_cache
  docker compose -p other down         # its container other-db-1 holds shop_cache, shop_jobs
  ccdestroy --profile worker -p shop
  docker volume rm shop_old            # Compose leaves it
To bring the volumes back: ccdestroy restore '/src/shop/it'\''s' shop_pgdata
Recorded as 01KB3Z8A0C (ccdestroy audit show 01KB3Z8A0C). docker compose down -v exits 0 here; this is exit 3.
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	unknown := record.Ending{ID: partial.ID, Inventory: sample(), Outcome: audit.Pending, Code: 1}
	b.Reset()
	if _ = Ending(&b, unknown, Style{Color: true}); !strings.Contains(b.String(), "ccdestroy reconcile") || !strings.Contains(b.String(), "\x1b[33mUNKNOWN") {
		t.Errorf("%q", b.String())
	}
}
