package record

import (
	"maps"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// What another operation says that it destroyed since is not told twice; what one
// destroyed before, and another volume of the same name, is not meant.
func TestToldElsewhere(t *testing.T) {
	gone := func(name, born string) inventory.Resource {
		return inventory.Resource{Kind: inventory.KindVolume, Name: name, Born: born, Asked: true, Fate: inventory.Removed, Result: inventory.Gone}
	}
	const early, late = "2026-11-01T00:00:00.5Z", "2026-11-02T00:00:00.5Z"
	d := newDesk(t)
	now := noon
	d.Now = func() time.Time { now = now.Add(time.Second); return now }
	ends := func(by string, outcome audit.Outcome, rs ...inventory.Resource) string {
		o := d.pending("other")
		o.Details.RecordedBy, o.Details.Resources = by, rs
		var names []string
		for _, r := range rs {
			names = append(names, r.Name)
		}
		if err := o.End(t.Context(), Ended{Outcome: outcome, Affected: names}); err != nil {
			t.Fatal(err)
		}
		o.Close()
		return o.ID
	}
	ends("", audit.Success, gone("before", early))
	o := d.pending("shop")
	o.Details.Resources = nil
	for _, name := range []string{"before", "taken", "again", "watched", "mine", "partly"} {
		o.Details.Resources = append(o.Details.Resources, gone(name, early))
	}
	prune := ends("", audit.Success, gone("taken", early), gone("again", late))
	ends("watch", audit.Success, gone("watched", early))
	partly := ends("", audit.Partial, gone("partly", early))
	told, err := o.ToldElsewhere()
	if want := map[string]string{"taken": prune, "partly": partly}; err != nil || !maps.Equal(told, want) {
		t.Errorf("%v, %v, want %v", told, err, want)
	}
}
