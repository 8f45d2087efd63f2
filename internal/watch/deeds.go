package watch

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// deedOf is what the newest event of an operation says. What a watch recorded
// counts in its own log alone.
func deedOf(e audit.Event, own bool) (d deed, tells bool) {
	details, err := record.ParseDetails(e)
	if err != nil || !e.Chained() || details.RecordedBy == record.ByScript {
		// Apart from the seven fields, a script may record details of any shape.
		details = record.Details{RecordedBy: record.ByScript}
	}
	if details.RecordedBy == "" && !slices.Contains(destroying, e.Operation) {
		return d, false
	}
	d = deed{id: cmp.Or(e.ID, stamp(e.Timestamp)), engine: details.Engine.ID, may: details.Unforeseen, from: e.Timestamp, to: e.Timestamp}
	d.marks = marks(e, details)
	if e.Operation == audit.Restore && e.Outcome != audit.Success {
		for _, r := range details.Restored { // one that it made, and could not fill, it takes back
			d.may = append(d.may, r.Name)
		}
	}
	began, err := time.Parse(time.RFC3339Nano, details.StartedAt)
	switch {
	case details.RecordedBy == recordedBy:
		d.ours = e.Timestamp
		return d, own
	case details.RecordedBy == record.ByScript: // a moment that we know ourselves: the times that it gives are only its claim
		d.from = recordedAt(e)
		d.to = d.from
	case err == nil && began.Before(d.from):
		d.from = began
	}
	if at := opened(e); details.RecordedBy != record.ByScript && !at.IsZero() && at.Before(d.from) {
		d.from = at // it looks, and only then says what it will destroy
	}
	if e.Outcome == audit.Pending {
		d.pending = &e
		if e.Operation == audit.Destroy && details.RecordedBy == "" {
			d.project = details.Project
		}
	}
	return d, len(d.marks)+len(d.may) > 0 || d.project != ""
}

// destroying are the operations of ours that have the engine destroy volumes. An
// export stops what uses them, and a purge ends what is no longer a volume.
var destroying = []string{audit.Destroy, audit.Prune, audit.Restore}

// marks are the volumes that an event names: what is gone; of a pending event
// everything that it lists, since the outcome will name what is gone by then.
func marks(e audit.Event, d record.Details) (all []mark) {
	for _, r := range d.Resources {
		gone := r.Result == inventory.Gone || r.Result == inventory.Remade
		if r.Kind == inventory.KindVolume && (gone || e.Outcome == audit.Pending) {
			all = append(all, mark{r.Name, r.Born, r.Created})
		}
	}
	for _, name := range e.DataAffected {
		if !slices.ContainsFunc(all, func(m mark) bool { return m.name == name }) {
			all = append(all, mark{name: name})
		}
	}
	return all
}

// recordedAt is when a script's event was written, whatever time it gave.
func recordedAt(e audit.Event) time.Time {
	var details struct {
		At time.Time `json:"recorded_at"`
	}
	if err := json.Unmarshal(e.Details, &details); err != nil || details.At.IsZero() {
		return e.Timestamp
	}
	return details.At
}

// opened is when an operation was begun: its id says so. Zero where it does not.
func opened(e audit.Event) time.Time {
	id, err := ulid.ParseStrict(e.ID)
	if err != nil {
		return time.Time{}
	}
	return ulid.Time(id.Time())
}
