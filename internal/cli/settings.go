package cli

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// settings are the values of flags that the command line does not give. They
// come from, the strongest first: what the machine's file enforces, variables,
// the user's file, the machine's, the project's. The project's file is the
// weakest since it is the least trusted: its author is not the one who asks for the
// teardown. What it sets counts if nothing else sets it, and what adds up
// (protect, reason) counts from everywhere.
type settings struct {
	p     Process
	app   func() *kong.Application // with every command
	files []*settingsFile          // the strongest first
	wrong error                    // why a file cannot be obeyed; nothing destructive runs then
	stray error                    // why the project's file is not obeyed: it is of another account
}

// setting is one value and where it is set: a variable, or FILE:LINE.
type setting struct {
	value    any // a string, a bool, or a list of strings as []any
	from     string
	enforced bool
}

// variable is the name of the variable that sets a flag.
func variable(flag string) string {
	return "CCDESTROY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settable reports whether a flag can be set elsewhere than on the command line.
// A fixed one concerns only one operation.
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

// all are the settings of a flag from every place, the strongest first.
func (s *settings) all(flag string) (found []setting) {
	for _, f := range s.files {
		if one, set := f.enforced[flag]; set {
			found = append(found, one)
		}
	}
	if text, set := s.p.lookup(variable(flag)); set {
		found = append(found, setting{value: text, from: "$" + variable(flag)})
	}
	for _, f := range s.files {
		if one, set := f.keys[flag]; set {
			found = append(found, one)
		}
	}
	return found
}

// Resolve is called by the parser for each flag that was not given.
func (s *settings) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	found := s.all(flag.Name)
	if !settable(flag) || flag.Name == protectKey || len(found) == 0 {
		return nil, nil
	}
	if flag.Name == reasonKey {
		if text := s.spoken(); text != "" {
			return text, nil
		}
		return nil, nil
	}
	if flag.Name == keepKey {
		text := s.keeps()
		if text == "" {
			return nil, nil
		}
		found[0].value = text
	}
	value, err := s.fit(flag, found[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", found[0].from, err)
	}
	return value, nil
}

// fit turns a setting into what the parser takes; nil if it is meant for another
// command's flag of this name.
func (s *settings) fit(flag *kong.Flag, set setting) (any, error) {
	list, isList := set.value.([]any)
	switch {
	case isList && !flag.IsSlice():
		return nil, errors.New("expected one value, not a list")
	case flag.IsBool() || flag.Target.Type() == reflect.TypeFor[*bool]():
		text := strings.ToLower(fmt.Sprint(set.value))
		if !slices.Contains([]string{"true", "false", "1", "0", "yes", "no"}, text) {
			return nil, fmt.Errorf("expected true or false, not %q", text)
		}
		return slices.Contains([]string{"true", "1", "yes"}, text), nil
	case !takes(flag, set.value):
		if slices.ContainsFunc(flagsOf(s.app()), func(f *kong.Flag) bool { return f.Name == flag.Name && takes(f, set.value) }) {
			return nil, nil
		}
		return nil, fmt.Errorf("must be one of %s, not %q", strings.Join(flag.EnumSlice(), ", "), fmt.Sprint(set.value))
	case isList:
		return list, tried(flag, list)
	case flag.IsSlice():
		list = split(fmt.Sprint(set.value), flag.Tag.Sep)
		return list, tried(flag, list)
	}
	return fmt.Sprint(set.value), tried(flag, fmt.Sprint(set.value))
}

// tried finds out whether the parser will accept a value, while it is known where
// the value is.
func tried(flag *kong.Flag, value any) error {
	scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
	target := reflect.New(flag.Target.Type()).Elem()
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem())) // which the parser makes, too
	}
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, target)
}

// takes reports whether the value is one that the flag allows.
func takes(flag *kong.Flag, value any) bool {
	return flag.Enum == "" || slices.Contains(flag.EnumSlice(), fmt.Sprint(value))
}

// split makes a list from a text: its parts, if the flag takes a separator.
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

// admit refuses a command that the settings forbid, as it was called. A command
// tagged settings:"reads" ignores another account's file, and may read any log
// it is given; one tagged settings:"none" runs whatever the files say.
func (s *settings) admit(call *kong.Context) error {
	return cmp.Or(s.allows(call), unset(call))
}

func (s *settings) allows(call *kong.Context) error {
	how := ""
	for n := call.Selected(); n != nil && how == ""; n = n.Parent {
		how = n.Tag.Get("settings")
	}
	switch {
	case how == "none":
		return nil
	case how != "reads":
		return s.check(call)
	case s.wrong == nil && s.stray != nil:
		s.p.say("WARNING: %v", s.stray)
	}
	return s.wrong
}

// full are flags whose value is never empty: without it something would be destroyed
// that was to be saved or recorded elsewhere first, something be checked against
// nothing, or a volume take the name of another.
var full = []string{"export", "store", "otlp", "otlp-headers-file", "log", "other-log", "output", "head", "proof", "export-path", "as"}

// unset refuses an empty value on the command line, of a flag that cannot have one:
// it is a variable of a script that was not set.
func unset(call *kong.Context) error {
	for _, path := range call.Path {
		if path.Flag == nil || path.Resolved || !slices.Contains(full, path.Flag.Name) {
			continue
		}
		value := call.FlagValue(path.Flag)
		if list, _ := value.([]string); fmt.Sprint(value) == "" || slices.Contains(list, "") {
			return fault.Usage("the command without --"+path.Flag.Name+", if that is what is meant", "--%s: its value is empty: is a variable not set?", path.Flag.Name)
		}
	}
	return nil
}

// check refuses a command when there is a file that cannot be obeyed, or the
// command line loosens what is enforced.
func (s *settings) check(call *kong.Context) error {
	if err := cmp.Or(s.wrong, s.stray); err != nil {
		return err
	}
	return s.obeyed(call)
}

// obeyed refuses a flag of the command line that loosens what is enforced.
func (s *settings) obeyed(call *kong.Context) error {
	for _, path := range call.Path {
		if path.Flag == nil || path.Resolved {
			continue
		}
		for _, set := range s.all(path.Flag.Name) {
			given := fmt.Sprint(call.FlagValue(path.Flag))
			if loosens := enforceable[path.Flag.Name]; set.enforced && loosens != nil && loosens(s.p, fmt.Sprint(set.value), given) {
				return fault.Usage("without --"+path.Flag.Name, "--%s %s: %s enforces %s", path.Flag.Name, given, set.from, set.value)
			}
		}
	}
	return nil
}
