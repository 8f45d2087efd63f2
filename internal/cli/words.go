package cli

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// A command line is put into the order that the parser expects before it is
// parsed: Compose's flags may stand before a command, help X means X --help, and
// audit ID means audit show ID. None of this turns anything else into a teardown.

// typed is a flag at the beginning of a command line, with the words it took.
type typed struct {
	flag  *kong.Flag // nil: no flag of the program or of a teardown
	words []string
	value string
}

// leading splits a command line at its first word that is neither a flag nor the
// value of one. It stops at a flag that it does not know.
func leading(app *kong.Application, args []string) (flags []typed, rest []string) {
	known := slices.Concat(app.Flags, app.DefaultCmd.Flags)
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		one, ok := read(known, args)
		if !ok {
			return flags, args
		}
		flags, args = append(flags, one...), args[len(one[len(one)-1].words):]
	}
	return flags, args
}

// read reads the flags of the first word, of which the last may take the next
// word as its value.
func read(known []*kong.Flag, args []string) (flags []typed, ok bool) {
	word := args[0]
	name, value, joined := strings.Cut(strings.TrimPrefix(word, "--"), "=")
	if !strings.HasPrefix(word, "--") {
		letters := []rune(word[1:])
		for i, letter := range letters {
			f := flagNamed(known, "-"+string(letter))
			if f == nil {
				return nil, false
			}
			if isSwitch(f) {
				flags = append(flags, typed{flag: f, words: args[:1]})
				continue
			}
			one, ok := valued(f, args, string(letters[i+1:]), i+1 < len(letters))
			return append(flags, one), ok
		}
		return flags, true
	}
	f := flagNamed(known, "--"+name)
	switch {
	case f == nil:
		return nil, false
	case isSwitch(f):
		return []typed{{flag: f, words: args[:1]}}, true
	}
	one, ok := valued(f, args, value, joined)
	return []typed{one}, ok
}

func valued(f *kong.Flag, args []string, value string, joined bool) (typed, bool) {
	switch {
	case joined:
		return typed{f, args[:1], value}, true
	case len(args) == 1:
		return typed{}, false
	}
	return typed{f, args[:2], args[1]}, true
}

func isSwitch(f *kong.Flag) bool { return f.IsBool() || f.Target.Type() == reflect.TypeFor[*bool]() }

// flagNamed finds a flag by -letter or --name.
func flagNamed(flags []*kong.Flag, word string) *kong.Flag {
	for _, f := range flags {
		negated := f.Tag.Negatable != "" && word == "--no-"+f.Name
		if word == "--"+f.Name || negated || f.Short != 0 && word == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// reword is the command line as the parser takes it.
func reword(app *kong.Application, args []string) ([]string, error) {
	if err := runTogether(app, args); err != nil {
		return nil, err
	}
	flags, rest := leading(app, args)
	switch {
	case len(rest) == 0:
		return args, nil
	case rest[0] == "help":
		return helpFor(app, rest[1:])
	case child(app.Node, rest[0]) == nil:
		return args, nil
	}
	node, path := app.Node, rest
	for len(path) > 0 && child(node, path[0]) != nil {
		node, path = child(node, path[0]), path[1:]
	}
	if node.Name == "audit" && len(path) > 0 && isID(path[0]) {
		rest = slices.Concat(rest[:len(rest)-len(path)], []string{"show"}, path)
		node = child(node, "show")
	}
	return moved(app, flags, node, rest, path)
}

// moved puts flags that stand before a command behind its name.
func moved(app *kong.Application, flags []typed, node *kong.Node, rest, path []string) ([]string, error) {
	own := slices.Clone(node.Flags)
	if node.DefaultCmd != nil {
		own = append(own, node.DefaultCmd.Flags...)
	}
	name := commandOf(node)
	var front, behind []string
	for _, one := range flags {
		f := flagNamed(own, "--"+one.flag.Name)
		switch {
		case slices.Contains(app.Flags, one.flag):
			front = append(front, one.words...)
			continue
		case f == nil || f.Short != one.flag.Short:
			return nil, fault.Usage(tryWithout(node, one), "%s has no %s", name, shown(one.flag))
		case one.flag.Group == nil || one.flag.Group.Key != "project" && one.flag.Group.Key != "engine":
			return nil, fault.Usage(called(slices.Concat(rest, one.words)...), "%s belongs behind the command", shown(one.flag))
		}
		behind = append(behind, one.words...)
	}
	names := len(rest) - len(path)
	return slices.Concat(front, rest[:names], behind, rest[names:]), nil
}

// tryWithout is the remedy for a flag that a command lacks.
func tryWithout(node *kong.Node, one typed) string {
	own := node.Flags
	if node.DefaultCmd != nil {
		own = append(slices.Clone(own), node.DefaultCmd.Flags...)
	}
	if one.flag.Name == "project-name" && flagNamed(own, "--project") != nil {
		return called(append(strings.Fields(commandOf(node)), "--project", one.value)...)
	}
	return called(append(strings.Fields(commandOf(node)), "--help")...)
}

// helpFor is `help X`: only the names of commands count.
func helpFor(app *kong.Application, words []string) ([]string, error) {
	node, path := app.Node, []string{}
	for _, word := range words {
		next := child(node, word)
		if next == nil {
			if strings.HasPrefix(word, "-") || len(node.Children) == 0 {
				break
			}
			return nil, notCommand(node, word, nil)
		}
		node, path = next, append(path, word)
	}
	return append(path, "--help"), nil
}

// runTogether finds a long flag that lacks a dash in front of a teardown:
// -profile worker would be the project "rofile".
func runTogether(app *kong.Application, args []string) error {
	for i, word := range args {
		if word == "--" || i == 0 && child(app.Node, word) != nil && word != "destroy" && word != "down" {
			return nil
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(word, "-"), "=")
		if len(text) < 4 || word[0] != '-' || text[0] == '-' {
			continue
		}
		for _, f := range app.DefaultCmd.Flags {
			if f.Name[0] == text[0] && distance(text, f.Name) <= 2 {
				return fault.Usage(called("--help"), "%q begins with one dash. Did you mean --%s?", word, f.Name)
			}
		}
	}
	return nil
}

// isID reports whether a word may be the id of an operation, and not a mistyped
// command: ids begin with digits.
func isID(word string) bool {
	return word[:min(1, len(word))] >= "0" && word[:min(1, len(word))] <= "9"
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// commandOf is what a user types for a command, without the program's name.
func commandOf(node *kong.Node) string {
	var words []string
	for n := node; n != nil && n.Parent != nil; n = n.Parent {
		if n != n.Parent.DefaultCmd {
			words = append(words, n.Name)
		}
	}
	slices.Reverse(words)
	return strings.Join(words, " ")
}

func shown(f *kong.Flag) string {
	if f.Short != 0 {
		return "-" + string(f.Short) + " (--" + f.Name + ")"
	}
	return "--" + f.Name
}

// called is a command of this program as it can be pasted.
func called(words ...string) string {
	return fault.Command(append([]string{"ccdestroy"}, words...)...)
}
