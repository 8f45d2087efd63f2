package inventory

import "path"

// Patterns protect volumes by name, beside the label: the labels of a volume
// cannot be changed after it was made. Each maps a pattern, as path.Match takes
// it, to where it was set.
type Patterns map[string]string

// Resource is the volume as an inventory has it, protected also where a pattern
// matches its name or its Compose key.
func (p Patterns) Resource(v Volume) Resource {
	r := v.Resource()
	for _, pattern := range sortedKeys(p) {
		byName, _ := path.Match(pattern, v.Name) // a bad pattern was refused where it was set
		byKey, _ := path.Match(pattern, r.Key)
		if (byName || byKey && r.Key != "") && !r.Protected {
			r.Protected, r.Protection = true, "the pattern "+pattern+" of "+p[pattern]
		}
	}
	return r
}
