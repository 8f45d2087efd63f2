package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// settingsName is the file of settings, looked for upward from the working
// directory. Its keys are the long names of flags.
const settingsName = ".ccdestroy.yaml"

// settingsLimit is how much of the file is read.
const settingsLimit = 1 << 20

// settings are the values of flags that were not given on the command line: a
// variable CCDESTROY_FLAG counts before the file.
type settings struct {
	p    Process
	path string // of the file, "" when there is none
	keys map[string]setting
}

type setting struct {
	value any // a string, a bool, or a list of strings as []any
	line  int
}

// variable is the name of the variable that sets a flag.
func variable(flag string) string {
	return "CCDESTROY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// find looks for the file and reads it. A key that is no flag is an error with
// its line, and so is a file that another account could have put in the way.
func (s *settings) find(app *kong.Application) error {
	s.keys = map[string]setting{}
	for dir := s.p.Dir; dir != ""; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, settingsName)
		if _, err := os.Lstat(path); err == nil {
			return s.read(path, app)
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return nil
}

func (s *settings) read(path string, app *kong.Application) error {
	s.path = path
	f, err := durable.OpenRead(path)
	if err != nil {
		return err
	}
	defer f.Close()
	owner, ours, err := durable.OursToTrust(f, path)
	if err != nil {
		return err
	}
	if !ours && owner != 0 {
		return fmt.Errorf("%s belongs to another account (uid %d): its settings are not taken", path, owner)
	}
	data, err := io.ReadAll(io.LimitReader(f, settingsLimit))
	if err != nil {
		return fmt.Errorf("read %q: %w", path, durable.Cause(err))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil // empty
	}
	return s.take(doc.Content[0], app)
}

func (s *settings) take(doc *yaml.Node, app *kong.Application) error {
	if doc.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: it must hold KEY: VALUE lines", s.path, doc.Line)
	}
	known := flagNames(app)
	for i := 0; i < len(doc.Content); i += 2 {
		key, node := doc.Content[i], doc.Content[i+1]
		if !slices.Contains(known, key.Value) {
			return fmt.Errorf("%s:%d: unknown key %q", s.path, key.Line, key.Value)
		}
		if _, twice := s.keys[key.Value]; twice {
			return fmt.Errorf("%s:%d: key %q twice", s.path, key.Line, key.Value)
		}
		value, err := plain(node)
		if err != nil {
			return fmt.Errorf("%s:%d: %q: %w", s.path, key.Line, key.Value, err)
		}
		s.keys[key.Value] = setting{value, key.Line}
	}
	return nil
}

// plain is the value of a node as the parser takes it.
func plain(node *yaml.Node) (any, error) {
	switch {
	case node.Kind == yaml.SequenceNode:
		list := []any{}
		for _, n := range node.Content {
			if n.Kind != yaml.ScalarNode {
				return nil, errors.New("a list of texts is wanted")
			}
			list = append(list, n.Value)
		}
		return list, nil
	case node.Kind != yaml.ScalarNode:
		return nil, errors.New("a text, a number, true, false, or a list of texts is wanted")
	case node.Tag == "!!bool":
		return strings.EqualFold(node.Value, "true"), nil
	}
	return node.Value, nil
}

// settable reports whether a flag can be set elsewhere than on the command line.
// A fixed one speaks of one operation alone.
func settable(f *kong.Flag) bool {
	return f.Name != "help" && f.Name != "version" && !f.Tag.Has("fixed")
}

// flagsOf are all flags that can be set, of every command.
func flagsOf(app *kong.Application) (flags []*kong.Flag) {
	_ = kong.Visit(app, func(v kong.Visitable, next kong.Next) error {
		if f, ok := v.(*kong.Flag); ok && settable(f) {
			flags = append(flags, f)
		}
		return next(nil)
	})
	return flags
}

// flagNames are their long names, each once.
func flagNames(app *kong.Application) (names []string) {
	for _, f := range flagsOf(app) {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// value is what is set for a flag, and where.
func (s *settings) value(flag string) (value any, from string) {
	if text, set := s.p.lookup(variable(flag)); set {
		return text, "$" + variable(flag)
	}
	if one, set := s.keys[flag]; set {
		return s.located(flag, one.value), fmt.Sprintf("%s:%d", s.path, one.line)
	}
	return nil, ""
}

// pathFlags name files. In the file they start from its directory, so that they
// mean the same wherever below it a command is run.
var pathFlags = []string{"env-file", "export", "file", "log", "output", "project-directory"}

func (s *settings) located(flag string, value any) any {
	if !slices.Contains(pathFlags, flag) {
		return value
	}
	if list, ok := value.([]any); ok {
		out := make([]any, len(list))
		for i, v := range list {
			out[i] = s.located(flag, v)
		}
		return out
	}
	path := fmt.Sprint(value)
	if path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.path), path)
}

// Resolve is called by the parser for each flag that was not given.
func (s *settings) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !settable(flag) {
		return nil, nil
	}
	value, from := s.value(flag.Name)
	if value == nil {
		return nil, nil
	}
	list, isList := value.([]any)
	many := flag.IsSlice()
	switch {
	case isList && !many:
		return nil, fmt.Errorf("%s: one value is wanted, not a list", from)
	case flag.IsBool() || flag.Target.Type() == reflect.TypeFor[*bool]():
		text := strings.ToLower(fmt.Sprint(value))
		if !slices.Contains([]string{"true", "false", "1", "0", "yes", "no"}, text) {
			return nil, fmt.Errorf("%s: true or false is wanted, not %q", from, text)
		}
		return slices.Contains([]string{"true", "1", "yes"}, text), nil
	case !takes(flag, value) && slices.ContainsFunc(flagsOf(ctx.Model), func(f *kong.Flag) bool { return f.Name == flag.Name && takes(f, value) }):
		return nil, nil // meant for another command's flag of this name
	case many && !isList:
		return split(fmt.Sprint(value), flag.Tag.Sep), nil
	}
	if isList {
		return list, nil
	}
	return fmt.Sprint(value), nil
}

// takes reports whether the value is one that the flag allows.
func takes(flag *kong.Flag, value any) bool {
	return flag.Enum == "" || slices.Contains(flag.EnumSlice(), fmt.Sprint(value))
}

// split makes a list of a text: of its parts, where the flag takes a separator.
func split(text string, sep rune) (list []any) {
	if sep == -1 {
		return []any{text}
	}
	for part := range strings.SplitSeq(text, string(sep)) {
		list = append(list, part)
	}
	return list
}

// Validate is part of kong's interface; reading has done it.
func (s *settings) Validate(*kong.Application) error { return nil }

// fault is how a wrong file of settings is told.
func (s *settings) fault(err error) error {
	return &fault.Fault{Err: err, Try: "correct " + s.path + "; its keys are the flags that ccdestroy --help lists", Code: fault.ExitUsage}
}
