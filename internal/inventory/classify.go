package inventory

import (
	"slices"
)

// After is what was seen afterwards.
type After struct {
	Snapshot Snapshot
	Seen     Seen // what the engine reported since the last look; hints, except for Unseen
	// Unseen: nobody followed the engine since the last look.
	Unseen      bool
	Interrupted bool // a signal reached us before the child had ended
	ChildFailed bool // the child exited non-zero
	// OnlyAsked: whatever else went was not this command's doing, since it
	// names each volume that it removes.
	OnlyAsked bool
	// Of volumes whose data was set aside: those that are the same ones still,
	// and those whose name another one has. Other signs would mislead.
	Same, Replaced []string
	// Told are volumes that another record says were destroyed, by name, with
	// the id of its operation.
	Told map[string]string
}

// Verdict is what the evidence says.
type Verdict struct {
	Resources   []Resource // those of the inventory, with results, and unforeseen ones
	Lost        []string   // volumes verified gone, sorted
	LostBytes   int64      // of these, where their sizes are known
	Remaining   []Resource // asked, and still there; Reason says why, if that can be seen
	Holders     []Holder   // what keeps them
	Unforeseen  []string   // volumes that vanished meanwhile and that the command did not ask for
	Unsure      []string   // volumes that may or may not have been destroyed and created again
	Providers   []string   // services whose provider may have failed
	Went        bool       // something was destroyed
	Interrupted bool       // by a signal
}

// Classify compares the inventory with what is there afterwards. known is what
// the inventory was made from. asks, if not nil, plans the same command
// for another snapshot: it tells which of the things created later the command
// asked for.
//
// A volume that was made after the look, that the command asks for, and that is
// gone, is lost like any other, and marked as unforeseen.
func Classify(before Inventory, known Snapshot, after After, asks func(Snapshot) Inventory) Verdict {
	v := Verdict{Lost: []string{}, Interrupted: after.Interrupted}
	e := newEvidence(before, after)
	for _, r := range before.Resources {
		if by := after.Told[r.Name]; by != "" && r.Kind == KindVolume {
			r.Asked, r.Fate, r.Reason = false, Kept, "destroyed by operation "+by
			v.Resources = append(v.Resources, r)
			continue
		}
		if after.OnlyAsked && !r.Asked {
			v.Resources = append(v.Resources, r)
			continue
		}
		r.Result, r.HeldBy = e.result(r), nil
		switch {
		case r.Unforeseen && r.Result == Remained:
			continue // it came later, and nothing was done to it
		case r.Result == Gone || r.Result == Remade:
			v.lose(r)
		case r.Result == Unknown && !r.Asked: // it was to stay, and one of its name exists
		case r.Result == Unknown:
			v.Unsure = append(v.Unsure, r.Name)
		case r.Asked:
			r = e.remains(r)
			v.hold(r, e.holders(r), before)
			v.Remaining = append(v.Remaining, r)
		}
		v.Resources = append(v.Resources, r)
	}
	if asks != nil {
		for _, r := range Late(before, known, after.Seen, asks) {
			if r.Result = e.late(r); r.Result != Remained {
				v.lose(r)
				v.Resources = append(v.Resources, r)
			}
		}
	}
	v.Unforeseen = e.bystanders(before.Project, v.Resources, known)
	if after.ChildFailed || after.Unseen && !pastServices(v.Resources) {
		v.Providers = before.Providers
	}
	slices.Sort(v.Lost)
	return v
}

// pastServices reports whether Compose, whose end nobody saw, got past the
// services: only when all of them and their providers are down does it remove
// anything but containers and what goes with them.
func pastServices(after []Resource) bool {
	return slices.ContainsFunc(after, func(r Resource) bool {
		return r.Asked && r.Kind != KindContainer && !r.Anonymous && (r.Result == Gone || r.Result == Remade)
	})
}

func (v *Verdict) lose(r Resource) {
	v.Went = true
	if r.Kind != KindVolume {
		return
	}
	v.Lost = append(v.Lost, r.Name)
	if r.Size != nil && r.Host == "" {
		v.LostBytes += r.Size.Bytes
	}
}

// Left names the resources that the command asked for and that a snapshot still
// has, as "kind name".
func (inv Inventory) Left(s Snapshot) (left []string) {
	e := newEvidence(inv, After{Snapshot: s})
	for _, r := range inv.Resources {
		if r.Asked && e.result(r) != Gone {
			left = append(left, string(r.Kind)+" "+r.Name)
		}
	}
	return left
}

// Late are the volumes that were created after the look, as far as the engine
// reported, and that the command asks for: each name once, marked as unforeseen.
func Late(before Inventory, known Snapshot, seen Seen, asks func(Snapshot) Inventory) (out []Resource) {
	if len(seen.Volumes) == 0 {
		return nil
	}
	world := known
	world.Volumes = slices.Clone(known.Volumes)
	for _, v := range seen.Volumes {
		// A look at the moment when one is created shows it without its labels.
		i := slices.IndexFunc(known.Volumes, func(w Volume) bool { return w.Name == v.Name })
		switch {
		case i < 0:
			world.Volumes = append(world.Volumes, v)
		case len(known.Volumes[i].Labels) == 0 && len(v.Labels) > 0:
			world.Volumes[i] = v
		}
	}
	world.Containers = append(slices.Clone(known.Containers), seen.Containers...)
	was := map[string]bool{}
	for _, r := range before.Resources {
		was[identity(r)] = true
	}
	for _, r := range asks(world).Resources {
		if r.Kind != KindVolume || !r.Asked || was[identity(r)] {
			continue
		}
		was[identity(r)] = true
		r.Unforeseen, r.Fate, r.Reason = true, Removed, ""
		out = append(out, r)
	}
	return out
}
