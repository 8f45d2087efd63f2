package watch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// gapOperation is the name under which it is recorded that nobody watched.
const gapOperation = "watch_gap"

// recordedBy marks our events, in details.recorded_by.
const recordedBy = "watch"

// Records is where losses are recorded, and what already accounts for them. It is
// owned by one goroutine.
type Records struct {
	Book *record.Book
	// Others are the logs that may already account for a deletion, besides Book's own.
	Others func() []*audit.Log

	shelf shelf
	used  map[string]time.Time // marks that already account for a loss, and when that was
}

// usedFor is how long it is remembered that a mark accounts for a loss. Later
// losses are of a later time than the operation.
const usedFor = 24 * time.Hour

// Record records those losses that no log accounts for, one by one.
func (r *Records) Record(ctx context.Context, losses []Loss, last bool) (left []Loss, err error) {
	if len(losses) == 0 {
		return nil, nil
	}
	deeds := r.deeds(losses)
	a := attribution{r.Book.Now(), deeds, r.used}
	losses = slices.Clone(losses)
	slices.SortStableFunc(losses, func(a, b Loss) int { return cmp.Compare(vague(a), vague(b)) })
	for i, l := range losses {
		told, waits, claims := a.of(l)
		if told {
			continue
		}
		if waits && !last {
			left = append(left, l)
			continue
		}
		if err := r.lost(ctx, l, claims); err != nil {
			return append(left, losses[i:]...), err
		}
		text := fmt.Sprintf("volume %s was destroyed, and nobody recorded it", l.Volume.Name)
		if len(claims) > 0 {
			text += "; perhaps by operation " + strings.Join(claims, " or ")
		}
		r.Book.Note(text)
	}
	return left, nil
}

// vague orders losses: those of volumes that are known well come first, so that
// others do not take what accounts for them.
func vague(l Loss) int {
	if l.Volume.Created.IsZero() {
		return 1
	}
	return 0
}

// deeds are the operations of all known logs that may account for the losses.
func (r *Records) deeds(losses []Loss) (all []deed) {
	if r.shelf == nil {
		r.shelf, r.used = shelf{}, map[string]time.Time{}
	}
	since := losses[0].from()
	for _, l := range losses {
		for _, t := range []time.Time{l.from(), l.Listed} {
			if !t.IsZero() && t.Before(since) {
				since = t
			}
		}
	}
	for key, at := range r.used {
		if at.Before(since.Add(-usedFor)) {
			delete(r.used, key)
		}
	}
	kept := shelf{}
	for i, l := range slices.Concat([]*audit.Log{r.Book.Log}, r.Others()) {
		all = append(all, r.shelf.deeds(l, since.Add(-clockSlack), i == 0)...)
		if found, ok := r.shelf[l.Path]; ok {
			kept[l.Path] = found
		}
	}
	r.shelf = kept
	return all
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (r *Records) lost(ctx context.Context, l Loss, claims []string) error {
	res := l.Volume.Resource()
	res.Asked, res.Fate, res.Result = true, inventory.Removed, inventory.Gone
	if !l.Since.IsZero() {
		res.Reason = fmt.Sprintf("between %s and %s, while the engine could not be followed", stamp(l.Since), stamp(l.At))
	}
	return r.tell(ctx, audit.Destroy, "unknown", []string{l.Volume.Name}, func(d *record.Details) {
		d.Engine, d.Project = l.Engine, l.Volume.Labels[inventory.LabelProject]
		d.Resources, d.StartedAt, d.Claims = []inventory.Resource{res}, stamp(l.At), claims
	})
}

// Gap records that nobody watched between two times.
func (r *Records) Gap(ctx context.Context, e inventory.Engine, from, to time.Time) error {
	return r.tell(ctx, gapOperation, r.Book.User, nil, func(d *record.Details) {
		d.Engine, d.StartedAt, d.DurationMS = e, stamp(from), max(to.Sub(from).Milliseconds(), 0)
	})
}

func (r *Records) tell(ctx context.Context, operation, user string, affected []string, describe func(*record.Details)) error {
	o := r.Book.Told(operation, user)
	describe(&o.Details)
	o.Details.RecordedBy = recordedBy
	return o.End(ctx, record.Ended{Outcome: audit.Success, Affected: affected})
}
