package inventory

import (
	"fmt"
	"slices"
)

// Change is one way in which a second look differs from what was shown, so that
// an answer to the first does not cover it.
type Change struct {
	Resource Resource // as it is now
	Why      string   // "is new", "was made again", "is protected now", …
}

// String is "volume shop_data is new".
func (c Change) String() string {
	return fmt.Sprintf("%s %s %s", c.Resource.Kind, c.Resource.Name, c.Why)
}

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
		switch {
		case !known:
			why = "is new"
		case r.Kind == KindVolume && (another(before, r, second.Engine.StableCreated) || slices.Contains(second.Ended, r.Name)):
			why = "was made again"
		case r.Protected && !before.Protected:
			why = "is protected now"
		case before.Fate != Removed && r.Fate == Removed && (r.Kind == KindVolume || !before.Asked):
			why = "would go now"
		default:
			continue
		}
		changes = append(changes, Change{r, why})
	}
	return changes
}

// identity is what a resource is known by: volumes and images by name, what has
// an id by that.
func identity(r Resource) string {
	if r.Kind == KindContainer || r.Kind == KindNetwork {
		return string(r.Kind) + " " + r.ID
	}
	return string(r.Kind) + " " + r.Name
}

// another reports whether a volume is surely not the one that it was: by the
// birth of its directory where this host sees it, else by the engine's word
// where that never moves.
func another(before, now Resource, stable bool) bool {
	if before.Born != "" && now.Born != "" {
		return before.Born != now.Born
	}
	return stable && before.Created != "" && now.Created != "" && before.Created != now.Created
}
