package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Projects are the names of all Compose projects that have anything here, and of
// those that have a running container, in order.
func (s Snapshot) Projects() (all, running []string) {
	found, runs := map[string]bool{}, map[string]bool{}
	note := func(labels map[string]string, running bool) {
		if name := labels[LabelProject]; name != "" {
			found[name], runs[name] = true, runs[name] || running
		}
	}
	for _, c := range s.Containers {
		note(c.Labels, c.Runs())
	}
	for _, v := range s.Volumes {
		note(v.Labels, false)
	}
	for _, n := range s.Networks {
		note(n.Labels, false)
	}
	for _, i := range s.Images {
		note(i.Labels, false)
	}
	all = slices.Sorted(maps.Keys(found))
	return all, slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !runs[name] })
}

// Absent says that the engine has nothing of a project that is found by its
// labels, and which projects it has; "" where there is something, or files say
// what the project is.
func (s Snapshot) Absent(m Model) string {
	all, running := s.Projects()
	if m.Mode != Labels || m.Fallback != "" || slices.Contains(all, m.Project) {
		return ""
	}
	text := fmt.Sprintf("No project %q on this engine.", m.Project)
	if len(running) > 0 {
		text += " Running: " + strings.Join(running, ", ") + "."
	}
	stopped := slices.DeleteFunc(all, func(name string) bool { return slices.Contains(running, name) })
	if len(stopped) > 0 {
		text += " Not running: " + strings.Join(stopped, ", ") + "."
	}
	return text
}
