package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

const anonymous = "53327484b07f7091570c5128ebc4d78c7df37ed7c7030f2dad8931fea86b66ac"

// Nothing to do and nothing that can be done are two things.
func TestNothingToDestroy(t *testing.T) {
	held := inventory.Resource{Kind: inventory.KindVolume, Name: "shop_data", Asked: true, Fate: inventory.Kept, Reason: "in use by psql"}
	for _, c := range []struct {
		inv                 inventory.Inventory
		outcome             audit.Outcome
		line, ends, summary string
	}{
		{inventory.Inventory{Project: "shop"}, audit.Success, "Nothing to destroy for shop", "Nothing to destroy for shop.\n", "### Nothing to destroy for shop\n\nRecorded as "},
		{inventory.Inventory{Project: "shop", Resources: []inventory.Resource{held}}, audit.Failed, "Nothing of shop can be destroyed", "FAILED: nothing of shop was destroyed.\n", "### Nothing of shop was destroyed\n\nRecorded as "},
	} {
		if got := Line(c.inv, Style{}); got != c.line {
			t.Errorf("line %q, want %q", got, c.line)
		}
		e := record.Ending{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Outcome: c.outcome, Inventory: c.inv}
		if got := output(t, func(b *bytes.Buffer) error { return Ending(b, e, Style{}) }); !strings.HasPrefix(got, c.ends) {
			t.Errorf("ending %q, want %q", got, c.ends)
		}
		if got := output(t, func(b *bytes.Buffer) error { return GitHubSummary(b, e) }); !strings.HasPrefix(got, c.summary) {
			t.Errorf("summary %q, want %q", got, c.summary)
		}
	}
}

// The name of an anonymous volume fills a line, and says nothing.
func TestSurvivorIsBrief(t *testing.T) {
	e := record.Ending{Outcome: audit.Failed}
	e.Verdict.Remaining = []inventory.Resource{{Kind: inventory.KindVolume, Name: anonymous, Reason: "in use by web"}}
	got := output(t, func(b *bytes.Buffer) error { return Ending(b, e, Style{Width: 80}) })
	if !strings.Contains(got, "\n  still there   volume 53327484b07f…: in use by web\n") {
		t.Error(got)
	}
}

// Compose makes a new anonymous volume for a new container; nobody should wait for
// the old one to show up in it.
func TestUndoneAnonymousVolume(t *testing.T) {
	of := inventory.Resource{Kind: inventory.KindVolume, Name: anonymous, Anonymous: true, UsedBy: []string{"shop-web-1"}}
	was := record.Details{Inventory: inventory.Inventory{Project: "shop", Resources: []inventory.Resource{of}}}
	back := []record.Kept{{Name: anonymous}, {Name: "shop_data"}}
	got := output(t, func(b *bytes.Buffer) error { return Undone(b, audit.Success, back, was, "01", time.Second, Style{}) })
	for _, want := range []string{"  volume " + anonymous + " (anonymous: a new container does not use it)\n", "  volume shop_data\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// reconcile does not end what a script began.
func TestUnfinishedOfScripts(t *testing.T) {
	ours := audit.Record{Event: audit.Event{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Operation: "destroy", Details: []byte(`{}`)}, Unfinished: true}
	script := audit.Record{Event: audit.Event{ID: "01KB3ZB6YB4T9Q2M7V5X1B6N8D", Operation: "delete_dashboard", Details: []byte(`{"recorded_by":"record"}`)}, Unfinished: true}
	const reconcile, end = "To find out: ccdestroy reconcile\n", "To record how it ended: ccdestroy record --id 01KB3ZB6YB --outcome WORD\n"
	for _, c := range []struct {
		of        []audit.Record
		want, not string
	}{
		{[]audit.Record{ours}, reconcile, end},
		{[]audit.Record{script}, end, reconcile},
		{[]audit.Record{ours, script}, reconcile + "UNFINISHED: begun by a script. " + end, "\x00"},
	} {
		got := output(t, func(b *bytes.Buffer) error {
			l := NewListing(b, Table, time.Now(), Style{})
			for _, r := range c.of {
				if err := l.Record(r, nil); err != nil {
					return err
				}
			}
			return l.End()
		})
		if !strings.HasSuffix(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%s\nwant %q and not %q", got, c.want, c.not)
		}
	}
}
