package render

import (
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// What runs the services again names the files where the user is elsewhere.
func TestRunAgain(t *testing.T) {
	was := record.Details{Command: []string{"docker", "compose", "--file", "shop/compose.yaml", "--profile", "full", "down", "--volumes"}}
	was.Project, was.Mode, was.Files = "shop", inventory.Files, []string{"/w/shop/compose.yaml", "/w/shop/compose.override.yaml"}
	labels := record.Details{Command: []string{"docker", "compose", "--project-name", "shop", "down", "--volumes"}}
	labels.Project, labels.Mode = "shop", inventory.Labels
	for _, c := range []struct {
		was  record.Details
		byID bool
		want string
	}{
		{was, false, "To run it again: docker compose --file shop/compose.yaml --profile full up -d\n"},
		{was, true, "To run it again: docker compose --file /w/shop/compose.yaml --file /w/shop/compose.override.yaml --profile full up -d\n"},
		{labels, true, "To run it again, where its compose file is: docker compose --project-name shop up -d\n"},
		{record.Details{}, true, ""},
	} {
		if got := runAgain(c.was, Style{ByID: c.byID}); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

// Commands that read a log are told which one, where they would not find it.
func TestLogIsNamed(t *testing.T) {
	style := Style{Log: "/w/my log.jsonl", ByID: true}
	kept := []record.Kept{{Name: "shop_db", Until: "2026-12-06T10:00:00Z"}}
	const id = "01M8KC97HDRDN5XYC82ZX6NBQ2"
	if got := undoLine(kept, id, style); !strings.HasSuffix(got, ": ccdestroy undo 01M8KC97HD --log '/w/my log.jsonl'\n") {
		t.Errorf("%q", got)
	}
	if got := Recorded(id, style); got != "Recorded as 01M8KC97HD (ccdestroy audit show 01M8KC97HD --log '/w/my log.jsonl')." {
		t.Errorf("%q", got)
	}
	if got := style.command("restore", "/x"); got != "ccdestroy restore /x" {
		t.Errorf("%q", got)
	}
	inv := inventory.Inventory{Project: "shop", Keep: &inventory.Keep{For: 3600e9, Volumes: []string{"shop_db"}}}
	if got := KeepLines(inv, style)[0]; got != "Kept for 1 hour: ccdestroy undo -p shop --log '/w/my log.jsonl' brings it back." {
		t.Errorf("%q", got)
	}
}
