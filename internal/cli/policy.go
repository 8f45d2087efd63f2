package cli

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// protectFlag is for commands that remove volumes, or show what would go.
type protectFlag struct {
	Protect []string `sep:"none" placeholder:"PATTERN" group:"ccdestroy" help:"Protect volumes whose name or Compose key matches, as the label ccdestroy.protect=true does: * stands for any text. Repeatable, and adds to what settings protect."`
}

// options decide what a teardown removes, and refuses to.
func (p Process) options(f downFlags, protect protectFlag) (o inventory.Options, err error) {
	o = f.options(p.Getenv)
	o.Protect, err = p.set.patterns(protect.Protect)
	return o, err
}

// patterns are what the command line and the settings of every place protect.
func (s *settings) patterns(given []string) (inventory.Patterns, error) {
	patterns := inventory.Patterns{}
	add := func(set setting) error {
		list, ok := set.value.([]any)
		if !ok {
			list = split(fmt.Sprint(set.value), ',')
		}
		for _, one := range list {
			pattern := fmt.Sprint(one)
			if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
				return fault.Usage("a pattern such as pg* or shop_[ab]?", "%s: %q is not a pattern", set.from, pattern)
			}
			if _, twice := patterns[pattern]; !twice {
				patterns[pattern] = inventory.Origin{From: set.from, Enforced: set.enforced}
			}
		}
		return nil
	}
	for _, set := range s.all(protectKey) {
		if err := add(set); err != nil {
			return nil, err
		}
	}
	for _, pattern := range given {
		if err := add(setting{value: pattern, from: "--protect"}); err != nil {
			return nil, err
		}
	}
	return patterns, nil
}

// spoken is the reason that the variable gives: it is either that or, as in
// files, the word that one is required.
func (s *settings) spoken() string {
	if text, _ := s.p.lookup(variable(reasonKey)); text != required {
		return text
	}
	return ""
}

// enforces reports whether the machine's file enforces a key.
func (s *settings) enforces(key string) bool {
	found := s.all(key)
	return len(found) > 0 && found[0].enforced
}

// reason is why, or the refusal of a command that must say why.
func (s *settings) reason(given string) (string, error) {
	text := cmp.Or(given, s.spoken())
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }) {
		return text, nil
	}
	for _, set := range s.all(reasonKey) {
		if set.value == required {
			return "", fault.Usage("the same command with --reason TEXT", "%s requires a reason", set.from)
		}
	}
	return text, nil
}
