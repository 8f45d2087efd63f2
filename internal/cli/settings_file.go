package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// settingsName is the project's file of settings, looked for upward from the
// working directory.
const settingsName = ".ccdestroy.yaml"

// machineSettings is the machine's. Windows has none: there every account may make
// such a file. Tests alone change it.
var machineSettings = "/etc/ccdestroy/config.yaml"

// settingsLimit is how large a file may be.
const settingsLimit = 64 << 10

// Whose a file of settings is.
const (
	ofUser    = "user"
	ofMachine = "machine"
	ofProject = "project"
)

// settingsFile is one file of KEY: VALUE lines. The keys are the long names of
// flags.
type settingsFile struct {
	who      string
	path     string // "" where there is no place for one
	there    bool
	keys     map[string]setting
	enforced map[string]setting
}

// read reads all files. Nothing of a file that cannot be obeyed counts.
func (s *settings) read() {
	home := s.p.xdg("XDG_CONFIG_HOME", ".config")
	if home != "" {
		home = filepath.Join(home, "config.yaml")
	}
	s.files = []*settingsFile{{who: ofUser, path: home}, {who: ofMachine, path: machineSettings}, {who: ofProject, path: s.nearest()}}
	if runtime.GOOS == "windows" {
		s.files[1].path = ""
	}
	for _, f := range s.files {
		if f.path == "" {
			continue
		}
		err := s.readFile(f)
		if f.who == ofProject && errors.Is(err, errStray) {
			s.stray = err
		} else if err != nil {
			f.keys, f.enforced = nil, nil
			s.wrong = err
			return
		}
	}
}

// nearest is the project's file, "" when there is none. A directory that cannot
// be looked into might hold one: reading will tell.
func (s *settings) nearest() string {
	for dir := s.p.Dir; dir != ""; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, settingsName)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return ""
}

// errStray is what is wrong with a file of an account without a say.
var errStray = errors.New("it belongs to another account, so it is not obeyed")

// readFile reads one file, where it is there.
func (s *settings) readFile(f *settingsFile) error {
	data, err := f.open(s.p)
	var doc *yaml.Node
	if err == nil {
		doc, err = parse(data)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.path, err)
	} else if doc != nil {
		err = f.take(doc, s)
	}
	if err == nil {
		return nil
	}
	try := cmp.Or(fault.AsFault(err).Try, "mend "+f.path+"; ccdestroy --help lists the flags, which are its keys")
	return &fault.Fault{Err: err, Try: try, Code: fault.ExitUsage}
}

// open checks whose word the file is, and returns what it holds; nil where there
// is nothing to obey.
func (f *settingsFile) open(p Process) (data []byte, err error) {
	look := os.Stat
	if f.who == ofProject {
		look = os.Lstat // a link might lead to another project's
	}
	info, err := look(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, durable.Cause(err)
	}
	f.there = true
	if err := f.owner(p, info); err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, errors.New("it is a symbolic link")
	}
	file, err := durable.OpenRead(f.path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(opened, info) {
		return nil, errors.New("it was replaced while it was being opened")
	}
	data, err = io.ReadAll(io.LimitReader(file, settingsLimit+1))
	switch {
	case err != nil:
		return nil, durable.Cause(err)
	case len(data) > settingsLimit:
		return nil, fmt.Errorf("it is larger than %d KiB", settingsLimit>>10)
	}
	return data, nil
}

// owner refuses a file of an account that has no say. Only root's own file says
// what the machine enforces; and what others can write is nobody's word.
func (f *settingsFile) owner(p Process, info fs.FileInfo) error {
	owner, trusted := p.trusts(info)
	others := info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows"
	switch {
	case f.who == ofMachine && owner != 0:
		return fault.Usage("chown root "+f.path, "it does not belong to root, but to uid %d", owner)
	case !trusted:
		try := fmt.Sprintf("read it, and when it is right: chown %d %s", os.Geteuid(), f.path)
		if f.who == ofProject && filepath.Dir(f.path) != filepath.Clean(p.Dir) {
			try = "touch " + filepath.Join(p.Dir, settingsName) + "   # one of your own, which comes first"
		}
		return fault.Usage(try, "%w (uid %d)", errStray, owner)
	case f.who != ofProject && others:
		return fault.Usage("chmod go-w "+f.path, "other accounts can write it")
	}
	return nil
}

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
	known := flagNames(s.app)
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

// pathFlags name files. In a file of settings they start from its directory, so
// that they mean the same wherever a command is run; ~/ is the home directory.
var pathFlags = []string{"env-file", "export", "file", "log", "output", "project-directory"}

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
