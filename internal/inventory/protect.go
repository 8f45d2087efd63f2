package inventory

import "path"

// Patterns protect volumes by name, beside the label: the labels of a volume
// cannot be changed after it was created. Each is a pattern for path.Match.
type Patterns map[string]Origin

// Origin is where a pattern was set.
type Origin struct {
	From     string
	Enforced bool // no --unprotect lifts it
}

// Resource is the volume as an inventory has it, protected also where a pattern
// matches its name or its Compose key. If there is a protection that nothing lifts, it is
// the one that is shown.
func (p Patterns) Resource(v Volume) Resource {
	r := v.Resource()
	for _, pattern := range sortedKeys(p) {
		byName, _ := path.Match(pattern, v.Name) // a bad pattern was refused where it was set
		byKey, _ := path.Match(pattern, r.Key)
		from := p[pattern]
		if !byName && !(byKey && r.Key != "") || r.Enforced || r.Protected && !from.Enforced {
			continue
		}
		r.Protected, r.Enforced, r.Protection = true, from.Enforced, "the pattern "+pattern+" of "+from.From
		if from.Enforced {
			r.Protection += ", which is enforced"
		}
	}
	return r
}
