package record

import (
	"fmt"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// ToldElsewhere are the volumes of a dead operation that another operation of its
// log destroyed since, by name, with the id of that one. What a watch recorded
// does not count: it names what may have done it.
func (o *Operation) ToldElsewhere() (told map[string]string, err error) {
	told = map[string]string{}
	mine := map[string]inventory.Resource{}
	for _, r := range o.Details.Resources {
		if r.Kind == inventory.KindVolume && r.Asked {
			mine[r.Name] = r
		}
	}
	ended := func(e audit.Event, _ []byte) bool {
		return e.ID != o.ID && e.Chained() && e.Outcome != audit.Pending && len(e.DataAffected) > 0
	}
	_, err = o.book.Log.Events(audit.Query{Since: o.opened, Match: ended}, func(r audit.Record, _ []byte) error {
		d, err := ParseDetails(r.Event)
		if err != nil || !d.ours() || d.Engine.ID != o.Details.Engine.ID || r.Timestamp.Before(o.opened) {
			return nil // not one of ours
		}
		for _, theirs := range d.Resources {
			own, named := mine[theirs.Name]
			if !named || theirs.Kind != inventory.KindVolume || theirs.Result != inventory.Gone && theirs.Result != inventory.Remade {
				continue
			}
			// In doubt it is reported twice rather than not at all.
			if another, sure := inventory.Replaced(own, theirs, d.Engine); sure && !another {
				told[theirs.Name] = r.ID
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for what others destroyed: %w", err)
	}
	return told, nil
}
