package watch

import (
	"slices"
	"strconv"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// clockSlack is how far the engine's clock and ours may differ.
const clockSlack = 2 * time.Second

// deed is what an event of a log says: volumes that an operation has
// destroyed, or may destroy.
type deed struct {
	id       string
	engine   string // its id; "" may be any
	project  string // that a teardown of ours tears down
	marks    []mark
	may      []string // volumes that perhaps it destroyed
	from, to time.Time
	pending  *audit.Event // it has no outcome; to means nothing then
	// beginning: it may have looked, and has not said yet what it will destroy.
	beginning bool
	atWork    bool
	ours      time.Time // of a record of a watch: when it was written
}

func (d deed) open() bool { return d.pending != nil }

// mark is one volume that a deed names. It accounts for one loss.
type mark struct{ name, born, created string }

// beginLimit is how long a loss waits for operations that have not said yet what
// they will destroy. From its last look to its pending event an operation takes
// less; one that asks the user something looks again afterwards.
const beginLimit = 30 * time.Second

// claimsLimit is how many operations a record names that may have done it.
const claimsLimit = 20

// attribution finds out what tells of losses.
type attribution struct {
	now   time.Time
	deeds []deed
	used  map[string]time.Time // marks that account for a loss, and when that was
}

// of says whether a deed tells of a loss, so that it needs no record of its own;
// whether an operation at work may turn out to have done it; and else which
// operations may be the ones that did.
func (a *attribution) of(l Loss) (told, waits bool, claims []string) {
	if key := a.best(l); key != "" {
		a.used[key] = l.At
		return true, false, nil
	}
	for _, d := range a.deeds {
		named := d.names(l)
		if !d.sees(l, clockSlack) || !named && !(d.atWork && d.mayTake(l, a.now)) {
			continue
		}
		waits = waits || d.atWork
		if named && len(claims) < claimsLimit && !slices.Contains(claims, d.id) {
			claims = append(claims, d.id)
		}
	}
	return false, waits, claims
}

// best is the mark that accounts for a loss, "" when there is none: best of all
// one of the same volume, then one of a deed in whose time it went.
func (a *attribution) best(l Loss) (best string) {
	most := 0
	for _, d := range a.deeds {
		if d.open() || !d.sees(l, clockSlack) {
			continue
		}
		for i, m := range d.marks {
			key, fits := d.id+"/"+strconv.Itoa(i), m.fits(l)
			if fits > 0 && d.sees(l, 0) {
				fits++
			}
			if _, used := a.used[key]; !used && fits > most {
				best, most = key, fits
			}
		}
	}
	return best
}

// sees reports whether a deed can be about a loss, as far as engine and time go.
// What a watch recorded is about what it saw itself, unless the loss comes from a
// list that it had written before.
func (d deed) sees(l Loss, slack time.Duration) bool {
	switch from := l.from(); {
	case d.engine != "" && d.engine != l.Engine.ID:
		return false
	case !d.ours.IsZero():
		return !l.Listed.IsZero() && !d.ours.Before(l.Listed)
	default:
		return !l.At.Before(d.from.Add(-slack)) && (d.open() || !from.After(d.to.Add(slack)))
	}
}

// from is the earliest time at which the volume can have gone.
func (l Loss) from() time.Time {
	if l.Since.IsZero() {
		return l.At
	}
	return l.Since
}

// names reports whether a deed names a volume of that name.
func (d deed) names(l Loss) bool {
	return slices.Contains(d.may, l.Volume.Name) ||
		d.open() && slices.ContainsFunc(d.marks, func(m mark) bool { return m.name == l.Volume.Name })
}

// mayTake reports whether a running operation may destroy a volume that it did
// not announce: a teardown takes what is made of its project after it has looked;
// nothing is known of one that is just beginning.
func (d deed) mayTake(l Loss, now time.Time) bool {
	if d.beginning {
		return now.Before(l.At.Add(beginLimit))
	}
	project := l.Volume.Labels[inventory.LabelProject]
	return d.project != "" && (project == "" || project == d.project)
}

// fits says how well a mark fits a loss: 0 is not at all, since it has another
// name or is certainly another volume; 1 is perhaps, 3 certainly.
func (m mark) fits(l Loss) int {
	if m.name != l.Volume.Name {
		return 0
	}
	r := l.Volume.Resource()
	born, err := time.Parse(time.RFC3339Nano, m.born)
	switch {
	case err == nil && born.After(l.At):
		return 0
	case m.born != "" && r.Born != "":
		return sameIf(m.born == r.Born)
	case !l.Engine.StableCreated, m.created == "", r.Created == "", m.created > r.Created:
		return 1 // that of a volume that was set aside and put back is later than it was
	}
	return sameIf(m.created == r.Created)
}

func sameIf(same bool) int {
	if same {
		return 3
	}
	return 0
}
