package inventory

import (
	"slices"
	"strings"
	"time"
)

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
