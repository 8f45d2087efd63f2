package prune

import (
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Options decide what goes.
type Options struct {
	// OnlyAnonymous: the engine passes over volumes that somebody named, which
	// Engine 23 and later do without --all.
	OnlyAnonymous bool
	Filters       []Filter
	Unprotect     []string // names of protected volumes that go nevertheless
	Protect       inventory.Patterns
}

// Filter is label=KEY, label=KEY=VALUE, or either with label!.
type Filter struct {
	Not        bool
	Key, Value string
	HasValue   bool
}

// ParseFilter reads what docker volume prune --filter takes.
func ParseFilter(text string) (Filter, error) {
	kind, rest, ok := strings.Cut(text, "=")
	f := Filter{Not: kind == "label!"}
	if f.Key, f.Value, f.HasValue = strings.Cut(rest, "="); !ok || kind != "label" && kind != "label!" || f.Key == "" {
		return f, fmt.Errorf("filter %q is none of label=KEY, label=KEY=VALUE, label!=KEY, label!=KEY=VALUE", text)
	}
	return f, nil
}

func (f Filter) matches(labels map[string]string) bool {
	value, has := labels[f.Key]
	return has && (!f.HasValue || value == f.Value)
}

// pass follows the engine: every label must be there, and not all of those with
// label!.
func pass(filters []Filter, labels map[string]string) bool {
	nots, matched := 0, 0
	for _, f := range filters {
		switch {
		case f.Not:
			nots++
			if f.matches(labels) {
				matched++
			}
		case !f.matches(labels):
			return false
		}
	}
	return nots == 0 || matched < nots
}

// Plan says of every volume of the engine whether it goes, and why not.
func Plan(s inventory.Snapshot, o Options) inventory.Inventory {
	var inv inventory.Inventory
	for _, v := range s.Volumes {
		r := o.Protect.Resource(v)
		for _, c := range s.Users(v.Name) {
			r.UsedBy = append(r.UsedBy, c.Name)
		}
		slices.Sort(r.UsedBy)
		r.Anonymous = inventory.LooksAnonymous(v)
		r.Lifted = r.Protected && !r.Enforced && slices.Contains(o.Unprotect, r.Name)
		r.Fate = inventory.Kept
		if r.Reason = keeps(v, r, o); r.Reason == "" {
			r.Fate, r.Asked = inventory.Removed, true
		}
		inv.Resources = append(inv.Resources, r)
	}
	slices.SortFunc(inv.Resources, func(a, b inventory.Resource) int { return strings.Compare(a.Name, b.Name) })
	return inv
}

// absent are those of the names that no volume has. Compose keys are not looked at: on
// an engine, many projects can have a volume of the same key.
func absent(inv inventory.Inventory, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(inv.Resources, func(r inventory.Resource) bool { return r.Name == name })
	})
}

// keeps is why a volume stays, or "".
func keeps(v inventory.Volume, r inventory.Resource, o Options) string {
	_, anonymous := v.Labels[inventory.LabelAnonymous]
	switch {
	case len(r.UsedBy) > 0:
		return "in use by " + strings.Join(r.UsedBy, ", ")
	case v.Driver != "local":
		return "of the driver " + v.Driver
	case len(v.Options) > 0:
		return "its options say that its data is elsewhere"
	case o.OnlyAnonymous && !anonymous:
		return "has a name; --all takes it"
	case !pass(o.Filters, v.Labels):
		return "--filter passes over it"
	case r.Enforced:
		return "protected by " + r.Protection
	case r.Protected && !r.Lifted:
		return "protected by " + r.Protection + "; --unprotect " + v.Name + " takes it"
	}
	return ""
}
