package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// gapOperation is the name under which it is recorded that nobody watched.
const gapOperation = "watch_gap"

// recordedBy marks our events, in details.recorded_by.
const recordedBy = "watch"

// Records is where losses are recorded, and what tells of them already.
type Records struct {
	Book *record.Book
	// Others are the logs that may tell of a deletion already, beside Book's own.
	Others func() []*audit.Log

	done map[string]bool // of the batch that is being recorded
}

// Record records those losses that no log tells of, one by one. After an error it
// is called again with the same losses.
func (r *Records) Record(ctx context.Context, e inventory.Engine, losses []Loss) error {
	if r.done == nil {
		r.done = map[string]bool{}
	}
	deeds := r.deeds(e, losses)
	for _, loss := range losses {
		told, claims := attribute(deeds, loss)
		if r.done[key(loss)] || told {
			continue
		}
		if err := r.lost(ctx, e, loss, claims); err != nil {
			return err
		}
		r.done[key(loss)] = true
		r.Book.Note(fmt.Sprintf("volume %s was destroyed, and nobody recorded it", loss.Volume.Name))
	}
	clear(r.done)
	return nil
}

// key is what a loss can be known by again.
func key(l Loss) string { return l.Volume.Name + " " + stamp(l.At) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (r *Records) lost(ctx context.Context, e inventory.Engine, loss Loss, claims []string) error {
	res := loss.Volume.Resource()
	res.Asked, res.Fate, res.Result = true, inventory.Removed, inventory.Gone
	if !loss.Since.IsZero() {
		res.Reason = fmt.Sprintf("between %s and %s, while the engine could not be followed", stamp(loss.Since), stamp(loss.At))
	}
	return r.told(ctx, audit.Destroy, "unknown", []string{loss.Volume.Name}, func(d *record.Details) {
		d.Engine, d.Project = e, loss.Volume.Labels[inventory.LabelProject]
		d.Resources, d.StartedAt, d.Claims = []inventory.Resource{res}, stamp(loss.At), claims
	})
}

// Gap records that nobody watched between two times.
func (r *Records) Gap(ctx context.Context, e inventory.Engine, from, to time.Time) error {
	return r.told(ctx, gapOperation, r.Book.User, nil, func(d *record.Details) {
		d.Engine, d.StartedAt, d.DurationMS = e, stamp(from), to.Sub(from).Milliseconds()
	})
}

func (r *Records) told(ctx context.Context, operation, user string, affected []string, describe func(*record.Details)) error {
	o := r.Book.Told(operation, user)
	describe(&o.Details)
	o.Details.RecordedBy = recordedBy
	return o.End(ctx, record.Ended{Outcome: audit.Success, Affected: affected})
}
