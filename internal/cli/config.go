package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/render"
)

type configCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
}

// Run shows what every flag is when the command line does not give it.
func (c configCmd) Run(p Process, app *kong.Application, s *settings) error {
	var all []render.Setting
	for _, name := range flagNames(app) {
		value, from := s.value(name)
		if value == nil {
			value, from = defaultOf(app, name), "default"
		}
		if list, ok := value.([]any); ok {
			var words []string
			for _, w := range list {
				words = append(words, fmt.Sprint(w))
			}
			value = strings.Join(words, ",")
		}
		all = append(all, render.Setting{Key: name, Value: fmt.Sprint(value), From: from})
	}
	if c.Format == "json" {
		return render.SettingsJSON(p.Stdout, all)
	}
	return render.Settings(p.Stdout, all, p.style(p.Stdout))
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
