package teardown

import (
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// After is what was seen when the child had ended.
type After struct {
	Snapshot  Snapshot
	Destroyed []string // volumes for which the engine announced a destruction meanwhile; a hint
	// StableCreated: the engine's CreatedAt of a volume never moves. Engines
	// before 23 (API 1.42) tell the time of the last change in the volume's
	// root directory instead.
	StableCreated bool
	Interrupted   bool // a signal reached us before the child had ended
}

// Verdict is what the evidence says.
type Verdict struct {
	Outcome    audit.Outcome
	Resources  []Resource // those of the inventory, with results
	Lost       []string   // volumes verified gone, sorted
	LostBytes  int64      // of these, as far as their sizes are known
	Remaining  []Resource // asked, and still there; Reason says why, where it can be seen
	Unforeseen []string   // volumes that vanished meanwhile and that no plan spoke of
}

// Classify compares the inventory with what is there afterwards.
//
//	every asked resource is gone, or none was asked   success
//	some remain, something went                       partial
//	some remain, nothing went                         failed, or cancelled after a signal
func Classify(before Inventory, known []Volume, after After) Verdict {
	v := Verdict{Lost: []string{}}
	e := evidence{After: after, destroyed: set(after.Destroyed)}
	went := false
	for _, r := range before.Resources {
		r.Result = e.result(r)
		if r.Result == Gone || r.Result == Remade {
			went = true
			v.lose(r)
		} else if r.Asked {
			r.HeldBy = e.holders(r)
			if r.Fate == Removed {
				r.Reason = "" // it was about something else
			}
			if held := "in use by " + strings.Join(r.HeldBy, ", "); len(r.HeldBy) > 0 && !strings.HasPrefix(r.Reason, held) {
				r.Reason = held
			}
			v.Remaining = append(v.Remaining, r)
		}
		v.Resources = append(v.Resources, r)
	}
	v.Unforeseen = e.unforeseen(before, known)
	slices.Sort(v.Lost)
	switch {
	case len(v.Remaining) == 0:
		v.Outcome = audit.Success
	case went:
		v.Outcome = audit.Partial
	case after.Interrupted:
		v.Outcome = audit.Cancelled
	default:
		v.Outcome = audit.Failed
	}
	return v
}

func (v *Verdict) lose(r Resource) {
	if r.Kind != KindVolume {
		return
	}
	v.Lost = append(v.Lost, r.Name)
	if r.Size != nil && r.Host == "" {
		v.LostBytes += r.Size.Bytes
	}
}

type evidence struct {
	After
	destroyed map[string]bool
}

func (e evidence) result(r Resource) Result {
	switch r.Kind {
	case KindVolume:
		for _, v := range e.Snapshot.Volumes {
			if v.Name == r.Name {
				if e.remade(r, v) {
					return Remade
				}
				return Remained
			}
		}
	case KindContainer:
		if slices.ContainsFunc(e.Snapshot.Containers, func(c Container) bool { return c.ID == r.ID }) {
			return Remained
		}
	case KindNetwork:
		if slices.ContainsFunc(e.Snapshot.Networks, func(n Network) bool { return n.ID == r.ID }) {
			return Remained
		}
	case KindImage:
		for _, img := range e.Snapshot.Images {
			if img.ID == r.ID && (slices.Contains(img.Tags, r.Name) || r.Name == r.ID) {
				return Remained
			}
		}
	case KindBind:
		return Remained
	}
	return Gone
}

// remade tells a volume from a younger one of the same name. The birth of its
// directory decides where this host sees it; else the engine's word.
func (e evidence) remade(r Resource, v Volume) bool {
	if r.Born != "" && !v.Born.IsZero() {
		return stamp(v.Born, time.RFC3339Nano) != r.Born
	}
	if e.destroyed[v.Name] {
		return true
	}
	before, err := time.Parse(time.RFC3339, r.Created)
	return e.StableCreated && err == nil && v.Created.After(before.Add(time.Second-1))
}

// holders names the containers that kept the resource from going.
func (e evidence) holders(r Resource) []string {
	var names []string
	for _, c := range e.Snapshot.Containers {
		uses := r.Kind == KindVolume && slices.ContainsFunc(c.Mounts, func(m Mount) bool { return m.Volume == r.Name }) ||
			r.Kind == KindNetwork && slices.Contains(c.Networks, r.ID) && c.Runs() ||
			r.Kind == KindImage && c.ImageID == r.ID
		if uses {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}

// unforeseen finds volumes that the engine announced as destroyed, that were
// there before, are not there now, and were no part of the inventory. They may
// be somebody else's doing: they are told, and not counted.
func (e evidence) unforeseen(before Inventory, known []Volume) []string {
	var out []string
	for name := range e.destroyed {
		planned := slices.ContainsFunc(before.Resources, func(r Resource) bool { return r.Kind == KindVolume && r.Name == name })
		was := slices.ContainsFunc(known, func(v Volume) bool { return v.Name == name })
		is := slices.ContainsFunc(e.Snapshot.Volumes, func(v Volume) bool { return v.Name == name })
		if !planned && was && !is {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
