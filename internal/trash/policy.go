package trash

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// How much of the file system everything kept may take, and how much stays free,
// in percent.
const (
	shareLimit = 20
	freeLimit  = 10
)

// Refusal is why a volume cannot be set aside, as far as the engine says,
// or "". root is the engine's data directory.
func Refusal(v inventory.Volume, root string) string {
	switch {
	case v.Driver != "local":
		return "driver " + v.Driver
	case len(v.Options) > 0:
		return "its options say that its data is elsewhere"
	case v.Mountpoint != path.Join(root, volumesDir, v.Name, dataName):
		return "its data is at " + v.Mountpoint
	case !inventory.IsVolumeName(v.Name):
		return "its name is no plain one"
	}
	return ""
}

// Fits says why more bytes cannot be kept, even if all that there is goes for them, or "".
// What is not known counts for nothing.
func Fits(held []Found, more int64, space Space, now time.Time) (why string) {
	if _, fits := over(held, more, space, now); fits {
		return ""
	}
	return "the disk is too small or too full: at most 20 % of it are for what is kept, and 10 % stay free"
}

// Excess are the entries that have to go now: those that have expired, those whose
// purge was interrupted, and the oldest ones for as long as there is too much.
func Excess(held []Found, space Space, now time.Time) []Item {
	excess, _ := over(held, 0, space, now)
	return excess
}

func over(held []Found, more int64, space Space, now time.Time) (excess []Item, fits bool) {
	var stay []Found
	total, free := more, int64(space.Free)
	drop := func(f Found) {
		excess = append(excess, Item{Operation: f.Operation, Volume: f.Volume})
		free += f.bytes()
	}
	for _, f := range held {
		switch {
		case f.Where == Ending, f.Entry != nil && f.Entry.Until.Before(now):
			drop(f)
		default:
			stay = append(stay, f)
			total += f.bytes()
		}
	}
	slices.SortStableFunc(stay, func(a, b Found) int {
		return cmp.Or(a.kept().Compare(b.kept()), strings.Compare(a.Operation, b.Operation))
	})
	tooMuch := func() bool {
		return space.Total > 0 && (total > int64(space.Total/100*shareLimit) || free < int64(space.Total/100*freeLimit))
	}
	for _, f := range stay {
		if !tooMuch() {
			break
		}
		if f.bytes() > 0 { // deleting it frees space
			drop(f)
			total -= f.bytes()
		}
	}
	return excess, !tooMuch()
}

func (f Found) bytes() int64 {
	if f.Entry == nil {
		return 0
	}
	return f.Entry.Bytes
}

func (f Found) kept() time.Time {
	if f.Entry == nil {
		return time.Time{}
	}
	return f.Entry.Kept
}
