package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/render"
)

type configCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
}

// Run shows where settings come from, and what every flag is when the command
// line does not give it.
func (c configCmd) Run(p Process, app *kong.Application) error {
	var all []render.Setting
	for _, name := range flagNames(app) {
		found := p.set.all(name)
		switch {
		case len(found) == 0:
			found = []setting{{value: defaultOf(app, name), from: "default"}}
		case name != protectKey && name != reasonKey: // which add up
			found = found[:1]
		}
		for _, one := range found {
			all = append(all, render.Setting{Key: name, Value: one.text(), From: one.from, Enforced: one.enforced})
		}
	}
	if c.Format == "json" {
		return render.SettingsJSON(p.Stdout, all)
	}
	return render.Settings(p.Stdout, p.set.sources(), all, p.style(p.Stdout))
}

func (s setting) text() string {
	list, ok := s.value.([]any)
	if !ok {
		return fmt.Sprint(s.value)
	}
	var words []string
	for _, w := range list {
		words = append(words, fmt.Sprint(w))
	}
	return strings.Join(words, ",")
}

// defaultOf is the default of the first flag of a name.
func defaultOf(app *kong.Application, name string) (value string) {
	for _, f := range flagsOf(app) {
		if f.Name == name && value == "" {
			value = f.Default
		}
	}
	return value
}

// sources are the places of settings, the strongest first.
func (s *settings) sources() []render.Source {
	var variables []string
	for _, name := range flagNames(s.app()) {
		if _, set := s.p.lookup(variable(name)); set {
			variables = append(variables, variable(name))
		}
	}
	all := []render.Source{{Name: "variables", Place: "CCDESTROY_…", Holds: strings.Join(variables, ", ")}}
	for _, f := range s.files {
		all = append(all, render.Source{Name: f.who, Place: f.path, Holds: f.holds(s.stray)})
	}
	return all
}

// holds says in a few words what a file has to say.
func (f *settingsFile) holds(stray error) string {
	switch {
	case f.path == "":
		return ""
	case !f.there:
		return "not there"
	case f.who == ofProject && stray != nil:
		return "not obeyed: it belongs to another account"
	}
	text := render.Count(len(f.keys), "key")
	if len(f.enforced) > 0 {
		text += "; enforces " + strings.Join(slices.Sorted(maps.Keys(f.enforced)), ", ")
	}
	return text
}
