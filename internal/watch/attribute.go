package watch

import (
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// clockSlack is how far the engine's clock and ours may differ.
const clockSlack = 2 * time.Second

// deed is an operation of a log, with the volumes that it tells of and when it
// may have destroyed them.
type deed struct {
	id       string
	volumes  []string
	from, to time.Time
	claim    bool // it only announced that they would go, and nothing shows that it is at work
}

func (d deed) tells(l Loss) bool {
	from := l.At
	if !l.Since.IsZero() {
		from = l.Since
	}
	return slices.Contains(d.volumes, l.Volume.Name) && !l.At.Before(d.from.Add(-clockSlack)) && !from.After(d.to.Add(clockSlack))
}

// attribute says whether a deed tells of a loss, so that it needs no record of
// its own; else which unfinished operations may be the ones that did it.
func attribute(deeds []deed, l Loss) (told bool, claims []string) {
	for _, d := range deeds {
		switch {
		case !d.tells(l):
		case !d.claim:
			return true, nil
		default:
			claims = append(claims, d.id)
		}
	}
	return false, claims
}

// deeds are the operations on this engine, from all known logs, that may tell of
// the losses. A log that cannot be read tells of nothing.
func (r *Records) deeds(e inventory.Engine, losses []Loss) (out []deed) {
	since := losses[0].At
	for _, l := range losses {
		if from := l.Since; !from.IsZero() && from.Before(since) {
			since = from
		}
	}
	for _, l := range append([]*audit.Log{r.Book.Log}, r.Others()...) {
		_, _ = l.History(audit.Query{Since: since.Add(-clockSlack)}, func(rec audit.Record, _ []byte) error {
			out = append(out, deedOf(l, rec.Event, e))
			return nil
		})
		open, _ := l.Unfinished(unfinishedBytes)
		for _, event := range open {
			out = append(out, deedOf(l, event, e))
		}
	}
	return out
}

// unfinishedBytes is how far back unfinished operations are looked for.
const unfinishedBytes = 1 << 20

// deedOf is what an event tells of; nothing when it is another engine's or our
// own. A pending event tells of what it announces while its operation is at
// work; after that it is only a claim.
func deedOf(l *audit.Log, event audit.Event, e inventory.Engine) (d deed) {
	details, err := record.ParseDetails(event)
	if err != nil || details.RecordedBy == recordedBy || details.Engine.ID != "" && details.Engine.ID != e.ID {
		return d
	}
	d = deed{id: event.ID, volumes: append(slices.Clone(event.DataAffected), details.Unforeseen...), from: event.Timestamp, to: event.Timestamp}
	if event.Outcome == audit.Pending {
		d.volumes = append(d.volumes, details.AskedVolumes()...)
		d.to = event.Timestamp.Add(claimFor)
		d.claim = !record.AtWork(l, event.ID)
	} else if began, err := time.Parse(time.RFC3339Nano, details.StartedAt); err == nil {
		d.from = began
	}
	return d
}

// claimFor is how long a pending event speaks for what it announces.
const claimFor = 24 * time.Hour
