package inventory

import (
	"slices"
	"strings"
	"time"
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

// evidence answers what happened to a resource.
type evidence struct {
	After
	stable    bool
	destroyed map[string]bool
	were      map[string]bool // ids of the containers that existed
}

func newEvidence(before Inventory, a After) evidence {
	e := evidence{After: a, stable: before.Engine.StableCreated, destroyed: set(a.Seen.Destroyed), were: map[string]bool{}}
	for _, r := range before.Resources {
		if r.Kind == KindContainer {
			e.were[r.ID] = true
		}
	}
	return e
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

func (e evidence) result(r Resource) Result {
	switch r.Kind {
	case KindVolume:
		if v, there := e.Snapshot.Volume(r.Name); there {
			return e.same(r, v)
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

// same tells a volume from a younger one of the same name. The birth of its
// directory decides if this host sees it; otherwise the engine's CreatedAt if that
// never changes, or an event. Without any of these, a volume that one of its
// former containers still refers to cannot have been removed, nor one whose time
// has not changed; about others nothing is known.
func (e evidence) same(r Resource, v Volume) Result {
	born, created := stamp(v.Born, time.RFC3339Nano), stamp(v.Created, time.RFC3339)
	switch {
	case slices.Contains(e.Same, r.Name):
		return Remained
	case slices.Contains(e.Replaced, r.Name):
		return Remade
	case r.Born != "" && born != "" && born != r.Born, e.destroyed[v.Name] && (r.Born == "" || born == ""):
		return Remade
	case r.Born != "" && born != "":
		return Remained
	case e.stable && r.Created != "" && created != r.Created:
		return Remade
	case e.stable, !e.Unseen && !e.Seen.Broken, created == r.Created:
		return Remained
	case slices.ContainsFunc(e.Snapshot.Users(r.Name), func(c Container) bool { return e.were[c.ID] && slices.Contains(r.UsedBy, c.Name) }):
		return Remained
	}
	return Unknown
}

// remains says why a resource that should have gone has not.
func (e evidence) remains(r Resource) Resource {
	r.HeldBy = nil
	for _, c := range e.holders(r) {
		r.HeldBy = append(r.HeldBy, c.Name)
	}
	if r.Fate == Removed {
		r.Reason = "" // it was about something else
	}
	if held := "in use by " + strings.Join(r.HeldBy, ", "); len(r.HeldBy) > 0 && !strings.HasPrefix(r.Reason, held) {
		r.Reason = held
	}
	return r
}

// holders are the containers that kept the resource from going, by name.
func (e evidence) holders(r Resource) (held []Container) {
	for _, c := range e.Snapshot.Containers {
		uses := r.Kind == KindVolume && c.Refers(r.Name) ||
			r.Kind == KindNetwork && slices.Contains(c.Networks, r.ID) && c.Runs() ||
			r.Kind == KindImage && c.ImageID == r.ID
		if uses {
			held = append(held, c)
		}
	}
	slices.SortFunc(held, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return held
}

// late is what happened to a volume that was created after the look. That one of its name
// was destroyed before that is another matter: it may have been before the look.
func (e evidence) late(r Resource) Result {
	_, there := e.Snapshot.Volume(r.Name)
	switch {
	case !there:
		return Gone
	case slices.Contains(e.Seen.Passing, r.Name):
		return Remade
	}
	return Remained
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

// bystanders finds volumes of the project that the engine announced as destroyed,
// that were there before, that are not there now, and that the command did not ask
// for. Something else may have destroyed them: they are reported, and not counted.
func (e evidence) bystanders(project string, told []Resource, known Snapshot) (out []string) {
	for name := range e.destroyed {
		planned := slices.ContainsFunc(told, func(r Resource) bool { return r.Kind == KindVolume && r.Name == name })
		_, is := e.Snapshot.Volume(name)
		if !planned && !is && known.concerns(name, project) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
