package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parse reads the one document of a file; nil when it holds none.
func parse(data []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	in := yaml.NewDecoder(strings.NewReader(string(data)))
	err := in.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = in.Decode(&more); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("it holds more than one document")
		}
	}
	if err != nil || len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil, err
	}
	return doc.Content[0], nil
}

// take takes over the keys of a mapping.
func (f *settingsFile) take(doc *yaml.Node, s *settings) (err error) {
	known := flagNames(s.app())
	f.keys, err = f.mapping(doc, func(key string) error { return f.may(key, known, s.files[0].path) }, func(below *yaml.Node) (err error) {
		f.enforced, err = f.mapping(below, func(key string) error { return mayEnforce(key, known) }, nil)
		for key, one := range f.enforced {
			one.enforced = true
			f.enforced[key] = one
		}
		return err
	})
	return err
}

// mapping reads KEY: VALUE lines, and calls nested with what stands below
// enforce.
func (f *settingsFile) mapping(doc *yaml.Node, may func(key string) error, nested func(*yaml.Node) error) (map[string]setting, error) {
	at := func(node *yaml.Node, err error) error { return fmt.Errorf("%s:%d: %w", f.path, node.Line, err) }
	if doc.Kind != yaml.MappingNode {
		return nil, at(doc, errors.New("KEY: VALUE lines are wanted"))
	}
	keys, seen := map[string]setting{}, []string{}
	for i := 0; i < len(doc.Content); i += 2 {
		key, node := doc.Content[i], doc.Content[i+1]
		if err := may(key.Value); err != nil {
			return nil, at(key, err)
		}
		if slices.Contains(seen, key.Value) {
			return nil, at(key, fmt.Errorf("key %q twice", key.Value))
		}
		seen = append(seen, key.Value)
		if key.Value == enforceKey {
			if err := nested(node); err != nil {
				return nil, err
			}
			continue
		}
		if node.Tag == "!!null" {
			continue // a key without a value sets nothing
		}
		value, err := f.value(key.Value, node)
		if err != nil {
			return nil, at(key, fmt.Errorf("%s: %w", key.Value, err))
		}
		keys[key.Value] = setting{value: value, from: fmt.Sprintf("%s:%d", f.path, key.Line)}
	}
	return keys, nil
}

// value is what a node sets a key to.
func (f *settingsFile) value(key string, node *yaml.Node) (any, error) {
	value, err := plain(node)
	switch {
	case err != nil:
		return nil, err
	case key == reasonKey && value != required:
		return nil, fmt.Errorf("%s is the one value that a file may give it; the reason itself is --reason TEXT", required)
	case f.who == ofProject:
		return projectKeys[key](f, value)
	}
	return f.located(key, value), nil
}

// plain is the value of a node as the parser takes it.
func plain(node *yaml.Node) (any, error) {
	switch {
	case node.Kind == yaml.SequenceNode:
		list := []any{}
		for _, n := range node.Content {
			if n.Kind != yaml.ScalarNode {
				return nil, errors.New("expected a list of texts")
			}
			list = append(list, n.Value)
		}
		return list, nil
	case node.Kind != yaml.ScalarNode:
		return nil, errors.New("expected a text, a number, true, false, or a list of texts")
	case node.Tag == "!!bool":
		return strings.EqualFold(node.Value, "true"), nil
	}
	return node.Value, nil
}

// pathFlags name files. In a file of settings they start from its directory, so
// that they mean the same wherever a command is run; ~/ is the home directory.
var pathFlags = []string{"env-file", "export", "file", "log", "otlp-headers-file", "output", "project-directory"}

func (f *settingsFile) located(key string, value any) any {
	if !slices.Contains(pathFlags, key) {
		return value
	}
	if list, ok := value.([]any); ok {
		out := make([]any, len(list))
		for i, v := range list {
			out[i] = f.located(key, v)
		}
		return out
	}
	path := fmt.Sprint(value)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if path == "" || path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.path), path)
}
