package guard

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Policy says what the engine must not destroy, whoever asks.
type Policy struct {
	Protect  inventory.Patterns // of volumes, beside the label
	Projects []string           // patterns of projects whose volumes stay
	Labels   []string           // KEY or KEY=VALUE: volumes with it stay
	Older    time.Duration      // volumes that are older stay; 0 is none
	NoPrune  bool               // no prune at all
}

// refusesPrune says why a prune is not allowed, whatever it takes, or "".
func (p Policy) refusesPrune(c call) string {
	switch {
	case c.kind != volumePrune:
		return ""
	case p.NoPrune:
		return "volumes are not pruned here (deny-prune)"
	case c.hidden:
		return "this prune may have its filters in its body, where the guard cannot see them: they belong in the URL"
	}
	return ""
}

// refuses says why a call is not allowed, or "". For volumes that an operation of ours
// is about to destroy, that operation has checked what the settings protect, and may
// have been told to go ahead.
func (p Policy) refuses(c call, volumes []inventory.Volume, ours bool, now time.Time) string {
	if why := p.refusesPrune(c); why != "" && !ours {
		return why
	}
	var why []string
	for _, v := range volumes {
		if by := p.protects(v, ours, now); by != "" {
			why = append(why, fmt.Sprintf("volume %s is protected by %s", v.Name, by))
		}
	}
	slices.Sort(why)
	return strings.Join(why, ", ")
}

// protects says what protects a volume, or "".
func (p Policy) protects(v inventory.Volume, ours bool, now time.Time) string {
	if r := p.Protect.Resource(v); r.Protected && !ours {
		return r.Protection
	}
	project := v.Labels[inventory.LabelProject]
	for _, pattern := range p.Projects {
		if fits, _ := path.Match(pattern, project); fits && project != "" {
			return "protect-project " + pattern
		}
	}
	for _, label := range p.Labels {
		key, value, exact := strings.Cut(label, "=")
		if got, has := v.Labels[key]; has && (!exact || got == value) {
			return "protect-label " + label
		}
	}
	if age := now.Sub(v.Created); p.Older > 0 && !v.Created.IsZero() && age > p.Older {
		return fmt.Sprintf("protect-older %s: it is %s old", p.Older, age.Round(time.Second))
	}
	return ""
}
