package reap

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// LabelTTL on a container, volume or network of a project is how old the project
// may become, such as 5d. Of several that differ the longest counts. One that a
// container has from its image does not count: whoever made that knows nothing of
// the project. Where that cannot be told, since the image is not listed any more, the
// project stays.
const LabelTTL = "ccdestroy.ttl"

// Rules say which projects have expired.
type Rules struct {
	OlderThan time.Duration // for projects without a label; 0: those never expire
	Match     []string      // patterns of names, of which one must match; none matches all
	Protect   inventory.Patterns
	Length    func(string) (time.Duration, error) // reads a label
}

// Project is a project of the engine that the rules apply to.
type Project struct {
	Name  string
	Age   time.Duration // of its newest container or volume, or else network
	Limit time.Duration // how old it may become; 0 means no limit
	Over  bool          // it is older
	// Stays says why it stays although it has expired, or why that is unclear.
	Stays   string
	Volumes []string
}

// Goes reports whether it is to be torn down.
func (p Project) Goes() bool { return p.Over && p.Stays == "" }

// Due says of each project that matches whether it has expired, in the order of names.
func Due(s inventory.Snapshot, r Rules, now time.Time) (out []Project) {
	all, _ := s.Projects()
	for _, name := range all {
		if r.matches(name) {
			out = append(out, r.judge(s, name, now))
		}
	}
	return out
}

func (r Rules) matches(name string) bool {
	return len(r.Match) == 0 || slices.ContainsFunc(r.Match, func(pattern string) bool {
		fits, _ := path.Match(pattern, name) // a bad one was refused where it was given
		return fits
	})
}

func (r Rules) judge(s inventory.Snapshot, name string, now time.Time) Project {
	p := Project{Name: name}
	newest, ttls, unclear := times(s, name)
	p.Age = now.Sub(newest)
	var wrong error
	p.Limit, wrong = r.limit(ttls)
	p.Over = p.Limit > 0 && !newest.IsZero() && p.Age > p.Limit
	var guarded []string
	for _, v := range s.Volumes {
		if v.Labels[inventory.LabelProject] != name {
			continue
		}
		p.Volumes = append(p.Volumes, v.Name)
		if res := r.Protect.Resource(v); res.Protected {
			guarded = append(guarded, fmt.Sprintf("volume %s is protected by %s", v.Name, res.Protection))
		}
	}
	switch lower := strings.ToLower(name); {
	case wrong != nil:
		p.Stays = wrong.Error()
	case p.Over && unclear != "":
		p.Stays = fmt.Sprintf("its label %s may be that of the image of container %s, which the engine does not list any more", LabelTTL, unclear)
	case p.Over && name != lower:
		p.Stays = fmt.Sprintf("Compose would tear down %s in its place: it writes names in lower case", lower)
	case p.Over && len(guarded) > 0:
		p.Stays = strings.Join(guarded, ", ")
	}
	return p
}

// limit is the longest of the labels, else that of the rules. With a label that is
// no length of time a project stays: nobody knows what was meant.
func (r Rules) limit(ttls []string) (longest time.Duration, err error) {
	if len(ttls) == 0 {
		return r.OlderThan, nil
	}
	for _, text := range ttls {
		d, err := r.Length(text)
		if err != nil || d <= 0 {
			return 0, fmt.Errorf("its label %s=%s is not a length of time", LabelTTL, text)
		}
		longest = max(longest, d)
	}
	return longest, nil
}

// times are when the newest part of a project was made, and its labels. A network
// counts where there is nothing else. unclear is a container of which nobody knows
// whether its label is its own.
func times(s inventory.Snapshot, project string) (newest time.Time, ttls []string, unclear string) {
	note := func(labels map[string]string, at time.Time) {
		if labels[inventory.LabelProject] != project {
			return
		}
		if at.After(newest) {
			newest = at
		}
		if ttl, has := labels[LabelTTL]; has {
			ttls = append(ttls, ttl)
		}
	}
	for _, c := range s.Containers {
		note(withoutInherited(c, s.Images), c.Created)
		if _, has := c.Labels[LabelTTL]; has && c.Labels[inventory.LabelProject] == project && !listed(c, s.Images) {
			unclear = c.Name
		}
	}
	for _, v := range s.Volumes {
		note(v.Labels, v.Created)
	}
	for _, n := range s.Networks {
		at := n.Created
		if !newest.IsZero() {
			at = time.Time{}
		}
		note(n.Labels, at)
	}
	return newest, ttls, unclear
}

// listed reports whether the image of a container is: one that was removed by force is
// not, nor one that has lost its tag to another one that was built on it.
func listed(c inventory.Container, images []inventory.Image) bool {
	return slices.ContainsFunc(images, func(i inventory.Image) bool { return isOf(c, i) })
}

func isOf(c inventory.Container, i inventory.Image) bool {
	return i.ID == c.ImageID || slices.Contains(i.Tags, c.Image)
}

// withoutInherited are the labels of a container without a limit that its image has,
// too.
func withoutInherited(c inventory.Container, images []inventory.Image) map[string]string {
	for _, i := range images {
		ttl, has := i.Labels[LabelTTL]
		if isOf(c, i) && has && c.Labels[LabelTTL] == ttl {
			labels := maps.Clone(c.Labels)
			delete(labels, LabelTTL)
			return labels
		}
	}
	return c.Labels
}
