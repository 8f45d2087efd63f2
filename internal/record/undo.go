package record

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Undoing finds out from a log what can still be undone: what operations have set
// aside, for a time that is not up, and no later operation has brought back or
// purged. The trash itself is not looked at.
type Undoing struct {
	Log *audit.Log
	Now time.Time

	since time.Time        // later operations are known from here on
	ended map[string]Ender // by endedKey
}

// Ender is the operation that ended what another one had set aside: audit.Undo or
// audit.Purge.
type Ender struct{ ID, Operation string }

// Aside is what became of the volumes that an operation has set aside.
type Aside struct {
	Left  []Kept           // can still be undone
	Ended map[string]Ender // volumes that were brought back or purged, by name
}

// Aside says it, according to the operation's newest event.
func (u *Undoing) Aside(e audit.Event, d Details) (a Aside, err error) {
	if a.Left, err = u.Left(e, d); err != nil || len(a.Left) == len(d.Kept) || e.Outcome == audit.Pending {
		return a, err
	}
	if err := u.read(e.Timestamp); err != nil {
		return a, err
	}
	a.Ended = map[string]Ender{}
	for _, k := range d.Kept {
		if by, ended := u.ended[endedKey(e.ID, k.Name)]; ended {
			a.Ended[k.Name] = by
		}
	}
	return a, nil
}

func endedKey(operation, volume string) string { return operation + " " + volume }

// readAhead is how much further back than needed is read at once.
const readAhead = 24 * time.Hour

// Left is what can still be undone of an operation, according to its newest event.
func (u *Undoing) Left(e audit.Event, d Details) (left []Kept, err error) {
	for _, k := range d.Kept {
		if until, err := time.Parse(time.RFC3339, k.Until); err == nil && until.After(u.Now) {
			left = append(left, k)
		}
	}
	if len(left) == 0 || e.Outcome == audit.Pending {
		return nil, nil
	}
	if err := u.read(e.Timestamp); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(left, func(k Kept) bool { return u.ended[endedKey(e.ID, k.Name)] != Ender{} }), nil
}

// read finds the undos and purges since a time.
func (u *Undoing) read(since time.Time) error {
	if u.ended != nil && !since.Before(u.since) {
		return nil
	}
	u.since, u.ended = since.Add(-readAhead), map[string]Ender{}
	ends := func(e audit.Event, _ []byte) bool { return e.Operation == audit.Undo || e.Operation == audit.Purge }
	_, err := u.Log.History(audit.Query{Since: u.since, Words: []string{`"undo"`, `"purge"`}, Match: ends}, func(r audit.Record, _ []byte) error {
		if d, err := ParseDetails(r.Event); err == nil && !r.Unfinished {
			for _, k := range slices.Concat(d.Undone, d.Purged) {
				u.ended[endedKey(k.Operation, k.Name)] = Ender{r.ID, r.Operation}
			}
		}
		return nil
	})
	return err
}

// Newest finds the newest operation of the log that can be undone and that is
// meant.
func (u *Undoing) Newest(meant func(Details) bool) (e audit.Event, d Details, left []Kept, err error) {
	keeps := func(e audit.Event, _ []byte) bool { return e.Operation == audit.Destroy || e.Operation == audit.Prune }
	_, err = u.Log.History(audit.Query{Words: []string{`"destroy"`, `"prune"`}, Match: keeps}, func(r audit.Record, _ []byte) error {
		was, err := ParseDetails(r.Event)
		if err != nil || !was.ours() || !meant(was) {
			return nil
		}
		if left, err = u.Left(r.Event, was); err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		e, d = r.Event, was
		return errEnough
	})
	if errors.Is(err, errEnough) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return e, d, left, err
}
