package inventory

import (
	"fmt"
	"slices"
)

// Change is one way in which a second look differs from what was shown, so that
// an answer to the first does not cover it.
type Change struct {
	Resource Resource // as it is now
	Why      string   // "is new", "was made again", "may have been made again", …
}

// String is "volume shop_data is new".
func (c Change) String() string {
	return fmt.Sprintf("%s %s %s", c.Resource.Kind, c.Resource.Name, c.Why)
}

const protectedNow = "is protected now"

// Changes compares a second look with the first, as far as it matters: what
// would be destroyed now and was not to be, what is no longer the same under its
// name, and what is protected now. That less would be destroyed is no change.
func Changes(first, second Inventory) (changes []Change) {
	was := map[string]Resource{}
	for _, r := range first.Resources {
		was[identity(r)] = r
	}
	for _, r := range second.Resources {
		if !r.Asked && r.Fate != Removed {
			continue
		}
		before, known := was[identity(r)]
		why := ""
		if known {
			why = another(before, r, second)
		}
		switch {
		case !known:
			why = "is new"
		case why != "":
		case r.Protected && !before.Protected:
			why = protectedNow
		case before.Fate != Removed && r.Fate == Removed && (r.Kind == KindVolume || !before.Asked):
			why = "would go now"
		default:
			continue
		}
		changes = append(changes, Change{r, why})
	}
	return changes
}

// identity is what a resource is known by: volumes and images by name, anything with
// an id by its id.
func identity(r Resource) string {
	if r.Kind == KindContainer || r.Kind == KindNetwork {
		return string(r.Kind) + " " + r.ID
	}
	return string(r.Kind) + " " + r.Name
}

// another says whether a volume is a different one now. The birth of its directory
// decides if this host sees it; otherwise the engine's events since, or its CreatedAt
// if that never changes. Without any of these, a changed time may mean so.
func another(before, now Resource, second Inventory) (why string) {
	moved := before.Created != "" && now.Created != "" && before.Created != now.Created
	told := second.Since
	switch {
	case now.Kind != KindVolume:
	case before.Born != "" && now.Born != "":
		if before.Born != now.Born {
			return madeAgain
		}
	case told != nil && slices.Contains(told.Destroyed, now.Name), moved && second.Engine.StableCreated:
		return madeAgain
	case moved && (told == nil || told.Broken):
		return "may have been made again"
	}
	return ""
}

const madeAgain = "was made again"

// Replaced reports whether a volume is certainly a different one now, and whether
// that is known at all.
func Replaced(before, now Resource, engine Engine) (replaced, known bool) {
	why := another(before, now, Inventory{Engine: engine})
	return why == madeAgain, why == "" || why == madeAgain
}

// KeepNew keeps what has come since a first look: it was not shown.
func (inv *Inventory) KeepNew(first Inventory) {
	for _, c := range Changes(first, *inv) {
		for i, r := range inv.Resources {
			if identity(r) == identity(c.Resource) && c.Why != protectedNow {
				inv.Resources[i].Asked, inv.Resources[i].Fate, inv.Resources[i].Reason = false, Kept, "it "+c.Why
			}
		}
	}
}
